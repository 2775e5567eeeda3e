use std::{fmt, marker::PhantomData, sync::Arc};

use crate::id::{SlotId, well_formed};

/// A named place for one service, and the type of what may sit there.
///
/// A constant: it is `Copy` and holds nothing but its id. Several plugins may offer a candidate for one slot; the
/// settings and the priorities say which of them wins.
///
/// ```
/// use jackfield::Slot;
///
/// trait Greeter: Send + Sync {
///     fn greet(&self, name: &str) -> String;
/// }
/// const GREETER: Slot<dyn Greeter> = Slot::new("chat.greeter");
/// ```
///
/// A malformed id does not compile:
///
/// ```compile_fail
/// const GREETER: jackfield::Slot<String> = jackfield::Slot::new("Chat Greeter");
/// ```
pub struct Slot<T: ?Sized> {
    id: &'static str,
    holds: PhantomData<fn() -> Arc<T>>,
}

impl<T: ?Sized> Slot<T> {
    /// Names a slot. In a `const`, a malformed id does not compile.
    ///
    /// # Panics
    ///
    /// If `id` is anything but words of lowercase letters, digits, `-` and `_`, joined by dots.
    #[track_caller]
    pub const fn new(id: &'static str) -> Self {
        assert!(well_formed(id), "an id is words of lowercase letters, digits, `-` and `_`, joined by dots");
        Self { id, holds: PhantomData }
    }

    /// The id by which settings address this slot.
    pub const fn id(self) -> SlotId {
        SlotId::checked(self.id)
    }
}

impl<T: ?Sized> Copy for Slot<T> {}
impl<T: ?Sized> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> From<Slot<T>> for SlotId {
    fn from(slot: Slot<T>) -> Self {
        slot.id()
    }
}
impl<T: ?Sized> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({}: {})", self.id, std::any::type_name::<T>())
    }
}
