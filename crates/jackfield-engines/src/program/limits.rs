/// How much a program may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most memory, in bytes, that a program may start with or grow to, all its memories together: 64 MiB unless set.
    pub max_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_memory_bytes: 64 << 20 }
    }
}

impl Limits {
    /// The same, with another bound for its memories.
    #[must_use]
    pub fn max_memory_bytes(mut self, bytes: u64) -> Self {
        self.max_memory_bytes = bytes;
        self
    }
}
