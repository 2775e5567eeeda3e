//! What engines are called.

use std::borrow::{Borrow, Cow};
use std::fmt;

/// The name of an engine, such as `audio`.
///
/// Any text may be asked for (a project says what it likes); whether there is such an engine is for the
/// registry to say. Comparing compares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineId(Cow<'static, str>);

impl EngineId {
    /// An id that is known when the program is compiled.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for EngineId {
    fn from(id: &str) -> Self {
        Self(Cow::Owned(id.to_owned()))
    }
}

impl From<String> for EngineId {
    fn from(id: String) -> Self {
        Self(Cow::Owned(id))
    }
}

impl Borrow<str> for EngineId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
