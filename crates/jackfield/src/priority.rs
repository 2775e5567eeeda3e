use std::fmt;

use serde::{Deserialize, Serialize};

/// How much authority a candidate for a slot, or a handler of an event, has: the higher number goes first.
///
/// Equal priorities go by the order in which they were declared, so the order is always total. The named stops
/// leave room between them; [`above`](Self::above) and [`below`](Self::below) say what is meant better than a
/// number does.
///
/// ```
/// use jackfield::Priority;
///
/// assert!(Priority::ELEVATED > Priority::default());
/// assert_eq!(Priority::HIGH.below(), Priority::new(4999));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Priority(i64);

impl Priority {
    /// Wins only when nobody else asks.
    pub const LOWEST: Self = Self(0);
    /// Gives way to an ordinary candidate.
    pub const LOW: Self = Self(100);
    /// What everything gets that asks for nothing.
    pub const NORMAL: Self = Self(500);
    /// Wins over an ordinary candidate.
    pub const ELEVATED: Self = Self(1000);
    /// Wins over an elevated candidate.
    pub const HIGH: Self = Self(5000);
    /// For hosts and tests: wins over whatever a plugin asks for.
    pub const SYSTEM: Self = Self(10_000);

    /// A priority between the named stops, or beyond them; negative ones are allowed.
    pub const fn new(value: i64) -> Self {
        Self(value)
    }

    /// The number.
    pub const fn value(self) -> i64 {
        self.0
    }

    /// Just above this one.
    #[must_use]
    pub const fn above(self) -> Self {
        self.above_by(1)
    }

    /// `distance` above this one; stays at the largest number there is.
    #[must_use]
    pub const fn above_by(self, distance: i64) -> Self {
        Self(self.0.saturating_add(distance))
    }

    /// Just below this one.
    #[must_use]
    pub const fn below(self) -> Self {
        self.below_by(1)
    }

    /// `distance` below this one; stays at the smallest number there is.
    #[must_use]
    pub const fn below_by(self, distance: i64) -> Self {
        Self(self.0.saturating_sub(distance))
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
