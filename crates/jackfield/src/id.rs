//! The names that settings and code share.

use std::{borrow::Borrow, borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, de};

mod pin;
pub use pin::{InvalidPin, Pin};

/// A text that cannot be an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: use lowercase letters, digits, `-`, `_`, and `.` between words")]
pub struct InvalidId {
    /// What was given.
    pub text: String,
}

/// The text of an id: borrowed for ever or shared, so that a clone never copies it.
#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Text {
    #[inline]
    fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// Whether `id` is words of lowercase letters, digits, `-` and `_`, joined by single dots.
pub(crate) const fn well_formed(id: &str) -> bool {
    let bytes = id.as_bytes();
    let mut start_of_word = true;
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => start_of_word = false,
            b'.' if !start_of_word => start_of_word = true,
            _ => return false,
        }
        i += 1;
    }
    !start_of_word
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// A clone costs at most one atomic increment. Equality, order, hash and display are the text's.
        #[derive(Clone)]
        pub struct $name(Text);

        impl $name {
            /// An id known when the program is compiled; in a `const`, a malformed one does not compile.
            ///
            /// # Panics
            ///
            /// If `id` is anything but words of lowercase letters, digits, `-` and `_`, joined by dots.
            #[track_caller]
            pub const fn new(id: &'static str) -> Self {
                assert!(well_formed(id), "an id is words of lowercase letters, digits, `-` and `_`, joined by dots");
                Self(Text::Static(id))
            }

            /// An id that was checked before.
            #[allow(dead_code, reason = "not every kind of id is made this way")]
            pub(crate) const fn checked(id: &'static str) -> Self {
                Self(Text::Static(id))
            }

            /// An id read from outside the program.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] if `id` is anything but words of lowercase letters, digits, `-` and `_`, joined by
            /// dots.
            pub fn parse(id: &str) -> Result<Self, InvalidId> {
                if well_formed(id) { Ok(Self(Text::Shared(id.into()))) } else { Err(InvalidId { text: id.to_owned() }) }
            }

            /// The text, for somebody else to share.
            #[allow(dead_code, reason = "not every kind of id is shared")]
            pub(crate) fn to_shared(&self) -> Arc<str> {
                match &self.0 {
                    Text::Static(text) => Arc::from(*text),
                    Text::Shared(text) => Arc::clone(text),
                }
            }

            /// The id as settings spell it.
            #[inline]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{}`", self.as_str())
            }
        }
        impl PartialEq for $name {
            #[inline]
            fn eq(&self, other: &Self) -> bool {
                let (one, other) = (self.as_str(), other.as_str());
                std::ptr::eq(one, other) || one == other // mostly they come from one constant
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }
        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(id: &str) -> Result<Self, InvalidId> {
                Self::parse(id)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }
    };
}

id! {
    /// The name by which settings address a plugin.
    PluginId
}
id! {
    /// The name of a slot: what settings call it. Code says [`Slot`](crate::Slot), which adds the type.
    SlotId
}
id! {
    /// A family of slots: all ids that begin with its name and a dot.
    Namespace
}

impl SlotId {
    /// Everything before the last dot.
    pub fn namespace(&self) -> Option<Namespace> {
        let (namespace, _) = self.as_str().rsplit_once('.')?;
        Namespace::parse(namespace).ok()
    }

    /// Everything before the first dot.
    pub fn top_namespace(&self) -> Option<Namespace> {
        let (namespace, _) = self.as_str().split_once('.')?;
        Namespace::parse(namespace).ok()
    }

    /// Everything after the last dot; the whole id if there is none.
    pub fn leaf(&self) -> &str {
        self.as_str().rsplit_once('.').map_or(self.as_str(), |(_, leaf)| leaf)
    }
}

impl Namespace {
    /// The namespace `name` within this one.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] if `name` is no id.
    pub fn namespace(&self, name: &str) -> Result<Self, InvalidId> {
        Self::parse(&format!("{self}.{name}"))
    }

    /// The slot `name` within this namespace.
    ///
    /// # Errors
    ///
    /// [`InvalidId`] if `name` is no id.
    pub fn slot(&self, name: &str) -> Result<SlotId, InvalidId> {
        SlotId::parse(&format!("{self}.{name}"))
    }

    /// Whether `slot` lies in this namespace, directly or deeper.
    pub fn contains(&self, slot: &SlotId) -> bool {
        slot.as_str().strip_prefix(self.as_str()).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// The known name nearest to a mistyped one, if one is near enough to be meant.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|name| (strsim::damerau_levenshtein(typed, name), name));
    let (distance, name) = scored.min()?;
    // A third of the letters wrong is still a typing mistake; more is another word.
    (distance <= typed.chars().count().max(name.chars().count()).div_ceil(3)).then_some(name)
}
