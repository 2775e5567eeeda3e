use std::{fmt, panic::Location, sync::Arc};

/// Where a handler came from, for errors and logs: the line that registered it, and whom it belongs to if that
/// was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerOrigin {
    owner: Option<Arc<str>>,
    location: &'static Location<'static>,
}

impl HandlerOrigin {
    pub(super) fn new(owner: Option<Arc<str>>, location: &'static Location<'static>) -> Self {
        Self { owner, location }
    }

    /// Whom the handler belongs to, as said at registration: a plugin, as a rule.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The line that registered the handler.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl fmt::Display for HandlerOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Some(owner) => write!(f, "the handler of `{owner}` from {}", self.location),
            None => write!(f, "the handler from {}", self.location),
        }
    }
}
