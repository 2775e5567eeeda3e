use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// What the handlers of one emit, or of one request, are handed in turn.
///
/// It dereferences to its payload: what one handler changes, the next one sees, and in the end the emitter.
///
/// ```
/// use jackfield::{Bus, Envelope};
///
/// let bus = Bus::new();
/// let _louder = bus.on(|said: &mut Envelope<String>| said.push('!')).unwrap();
/// let said = bus.emit_sync("hello".to_owned()).unwrap();
/// assert_eq!(*said, "hello!");
/// assert!(!said.is_stopped());
/// ```
#[derive(Debug)]
pub struct Envelope<E> {
    pub(super) payload: E,
    pub(super) identifier: Option<Arc<str>>,
    pub(super) stopped: bool,
}

impl<E> Envelope<E> {
    #[inline]
    pub(crate) fn new(payload: E, identifier: Option<Arc<str>>) -> Self {
        Self { payload, identifier, stopped: false }
    }

    /// To whom it is addressed, if it is addressed to anyone in particular.
    pub fn identifier(&self) -> Option<&str> {
        self.identifier.as_deref()
    }

    pub(crate) fn shared_identifier(&self) -> Option<&Arc<str>> {
        self.identifier.as_ref()
    }

    /// Whether a handler stopped it.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Puts `value` in place of the payload and lets no further handler run.
    ///
    /// The handler that calls it runs to its end, and may still change the payload. In a request it replaces the
    /// payload and stops nothing: a request ends when a handler claims it.
    pub fn stop(&mut self, value: E) {
        self.payload = value;
        self.stopped = true;
    }

    /// Lets no further handler run and leaves the payload as it is.
    pub fn stop_as_is(&mut self) {
        self.stopped = true;
    }

    /// The payload as the handlers left it.
    pub fn into_inner(self) -> E {
        self.payload
    }
}

impl<E> Deref for Envelope<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.payload
    }
}

impl<E> DerefMut for Envelope<E> {
    fn deref_mut(&mut self) -> &mut E {
        &mut self.payload
    }
}
