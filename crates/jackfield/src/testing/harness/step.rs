use std::fmt;

use super::super::fault::Fault;
use crate::{id::PluginId, report::Hook};

/// One thing that a [`Harness`](super::Harness) does. A plain value, so that a sequence can be written down, or made by
/// proptest.
///
/// Sessions, plugins and variations are meant by number, counted from nought and round again: any number means
/// something, and a sequence still does after steps were left out of it. A step for which there is nothing does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Opens a session; there are never more than four.
    Open,
    /// Closes a session and waits for it.
    Close(usize),
    /// Drops the handle of a session.
    Drop(usize),
    /// Switches a plugin off, or on again.
    Toggle(usize),
    /// Switches a plugin off, or on again, in one session.
    ToggleIn {
        /// The session.
        session: usize,
        /// The plugin.
        plugin: usize,
    },
    /// Makes a variation of the settings; without variations, puts the same settings in force again.
    Vary(usize),
    /// Makes a variation of what one session has on top of the settings.
    VaryIn {
        /// The session.
        session: usize,
        /// The variation.
        variation: usize,
    },
    /// The next time that this hook of the plugin runs, it does all it does, and then fails.
    Fail {
        /// The plugin.
        plugin: usize,
        /// The hook: registering, attaching, being told of new settings, or detaching.
        hook: Hook,
        /// How.
        fault: Fault,
    },
    /// Switches a plugin off, or on again, and does not wait for it.
    WalkAway(usize),
    /// Uses a session: looks up the services that are watched, and does with it what the test says.
    Use(usize),
}

impl Step {
    /// `count` steps that depend on `seed` alone.
    pub fn random(seed: u64, count: usize) -> Vec<Self> {
        let mut dice = Dice(seed);
        let mut steps = vec![Self::Open];
        steps.resize_with(count.max(1), || Self::roll(&mut dice));
        steps
    }

    fn roll(dice: &mut Dice) -> Self {
        const HOOKS: [Hook; 4] = [Hook::Attach, Hook::Detach, Hook::SettingsChanged, Hook::Register];
        const FAULTS: [Fault; 3] = [Fault::Error, Fault::Panic, Fault::Hang];
        let kind = dice.below(28);
        let (first, second) = (dice.below(256), dice.below(256));
        match kind {
            0..3 => Self::Open,
            3..5 => Self::Close(first),
            5 => Self::Drop(first),
            6..11 => Self::Toggle(first),
            11..14 => Self::ToggleIn { session: first, plugin: second },
            14..18 => Self::Vary(first),
            18..20 => Self::VaryIn { session: first, variation: second },
            20..24 => {
                let (hook, fault) = (HOOKS[second % HOOKS.len()], FAULTS[dice.below(FAULTS.len())]);
                Self::Fail { plugin: first, hook, fault }
            }
            24 => Self::WalkAway(first),
            _ => Self::Use(first),
        }
    }

    /// For people, with the names of what it is about.
    pub(super) fn describe(self, names: &Names) -> String {
        let plugin = |n| name(&names.plugins, n, "a plugin");
        let variation = |n| name(&names.variations, n, "the same settings again");
        match self {
            Self::Open => "open a session".to_owned(),
            Self::Close(n) => format!("close session {n}"),
            Self::Drop(n) => format!("drop session {n}"),
            Self::Toggle(n) => format!("toggle {}", plugin(n)),
            Self::ToggleIn { session, plugin: n } => format!("toggle {} in session {session}", plugin(n)),
            Self::Vary(n) => format!("vary the settings: {}", variation(n)),
            Self::VaryIn { session, variation: n } => {
                format!("vary the settings of session {session}: {}", variation(n))
            }
            Self::Fail { plugin: n, hook, fault } => format!("tell {} to {fault} in `{hook}`", plugin(n)),
            Self::WalkAway(n) => format!("toggle {}, and walk away", plugin(n)),
            Self::Use(n) => format!("use session {n}"),
        }
    }
}

/// The names of what steps mean by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) plugins: Vec<PluginId>,
    pub(super) variations: Vec<String>,
}

fn name<T: fmt::Display>(names: &[T], n: usize, none: &str) -> String {
    pick(names, n).map_or_else(|| none.to_owned(), |name| format!("`{name}`"))
}

/// The one with this number, counted round.
pub(super) fn pick<T>(all: &[T], n: usize) -> Option<&T> {
    if all.is_empty() { None } else { all.get(n % all.len()) }
}

/// Numbers that look random and depend on the seed alone (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
