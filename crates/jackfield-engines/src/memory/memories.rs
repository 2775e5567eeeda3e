/// What a program's variables lie in: its own memory, and one more for each region it has.
///
/// Each has a number: 0 is the program's own, `js.memory` or `host.memory`; its regions follow in the order in which the
/// binary imports them. An [`Instance`](crate::Instance) has them all. Bytes by themselves are the own memory of a program
/// without regions.
pub trait Memories {
    /// The bytes of memory `number`; `None` if there is no such memory.
    ///
    /// # Realtime
    /// Allocates nothing.
    fn bytes(&self, number: u32) -> Option<&[u8]>;

    /// The bytes of memory `number`, to be written; `None` if there is no such memory.
    ///
    /// # Realtime
    /// Allocates nothing.
    fn bytes_mut(&mut self, number: u32) -> Option<&mut [u8]>;
}

impl<T: AsRef<[u8]> + AsMut<[u8]> + ?Sized> Memories for T {
    fn bytes(&self, number: u32) -> Option<&[u8]> {
        (number == 0).then(|| self.as_ref())
    }

    fn bytes_mut(&mut self, number: u32) -> Option<&mut [u8]> {
        (number == 0).then(|| self.as_mut())
    }
}
