use std::fmt;

/// What plugins have left behind, and how it came to that. Displays for people, and so does its `Debug`, so that
/// `unwrap` is enough in a test.
#[derive(Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// What was found, each with the name of the plugin where it is known.
    pub findings: Vec<String>,
    /// The steps that lead there, as few as could be found.
    pub steps: Vec<super::Step>,
    pub(super) described: Vec<String>,
    pub(super) seed: Option<u64>,
    pub(super) all: usize,
}

impl fmt::Display for LeftBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        match (self.described.len(), self.all) {
            (0, _) => f.write_str("without any step: a session that opens and closes is enough")?,
            (few, all) if few < all => write!(f, "after {few} of {all} steps:")?,
            (all, _) => write!(f, "after {all} steps:")?,
        }
        for (n, step) in self.described.iter().enumerate() {
            write!(f, "\n  {}. {step}", n + 1)?;
        }
        match self.seed {
            Some(seed) => write!(f, "\nagain: harness.run({seed}), or harness.play(&{:?})", self.steps),
            None => write!(f, "\nagain: harness.play(&{:?})", self.steps),
        }
    }
}

impl fmt::Debug for LeftBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for LeftBehind {}
