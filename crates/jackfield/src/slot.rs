use std::{fmt, marker::PhantomData, sync::Arc};

use crate::id::{SlotId, well_formed};

/// A named place for one service, and the type of what may sit there.
///
/// A constant: it is `Copy` and holds nothing but its id, and a hash of that. Several plugins may offer a candidate for one slot; the
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
    /// With its hash, which is made where the constant is, so that no lookup makes it.
    pub(crate) key: Key<'static>,
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
        Self { key: Key { text: id, hash: hash(id) }, holds: PhantomData }
    }

    /// The id by which settings address this slot.
    pub const fn id(self) -> SlotId {
        SlotId::checked(self.key.text)
    }
}

/// The text of an id, and its hash: what a lookup needs of a slot.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) text: &'a str,
    pub(crate) hash: u64,
}

/// What is looked up: a slot, or an id that is known only when the program runs.
pub(crate) trait Wanted: Copy {
    fn key(&self) -> Key<'_>;

    /// For errors.
    fn to_id(self) -> SlotId;
}

impl Wanted for Key<'static> {
    #[inline]
    fn key(&self) -> Key<'_> {
        *self
    }
    fn to_id(self) -> SlotId {
        SlotId::checked(self.text)
    }
}

impl Wanted for &SlotId {
    fn key(&self) -> Key<'_> {
        let text = self.as_str();
        Key { text, hash: hash(text) }
    }
    fn to_id(self) -> SlotId {
        self.clone()
    }
}

/// The hash of an id: of eight letters at a time, and spread over all bits, the lowest of which choose a place.
///
/// Which ids there are to be told apart is up to the plugins of a program, so nobody is kept from choosing bad ones.
pub(crate) const fn hash(id: &str) -> u64 {
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15; // 2⁶⁴ divided by the golden ratio
    let (words, rest) = id.as_bytes().as_chunks();
    let mut hash = id.len() as u64;
    let mut i = 0;
    while i < words.len() {
        hash = spread(hash ^ u64::from_le_bytes(words[i]));
        i += 1;
    }
    let mut last = [0; 8];
    last.split_at_mut(rest.len()).0.copy_from_slice(rest);
    return spread(hash ^ u64::from_le_bytes(last));

    const fn spread(bits: u64) -> u64 {
        let product = bits as u128 * SPREAD as u128;
        product as u64 ^ (product >> 64) as u64 // the low half knows nothing of high bits, where last letters are
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
        write!(f, "Slot({}: {})", self.key.text, std::any::type_name::<T>())
    }
}
