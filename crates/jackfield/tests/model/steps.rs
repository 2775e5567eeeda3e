//! What is done to a runtime, and what goes wrong meanwhile, at random.

use jackfield::UnknownReferences;
use proptest::prelude::*;

use crate::cast::{Cast, Doc, Knobs, PARTS, Part, SLOTS, STRANGER, Says};

/// One line of settings, before it is known what there is to be set.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    Plugin(usize, bool, Says),
    /// The pin of whichever offer has this number.
    Offer(usize, Knobs),
    Wildcard(usize, Knobs),
    /// A pin that may mean nothing.
    Stray(usize, usize, Knobs),
}

pub(crate) fn lines() -> impl Strategy<Value = Vec<Line>> {
    let on = || prop::bool::weighted(0.6);
    let knobs = || {
        (on(), prop::option::of(0..5i64), Says::any()).prop_map(|(enabled, priority, says)| Knobs {
            enabled,
            priority,
            says,
        })
    };
    let known = prop_oneof![60 => 0..PARTS, 1 => Just(STRANGER)];
    let line = prop_oneof![
        60 => (known, on(), Says::any()).prop_map(|(plugin, on, says)| Line::Plugin(plugin, on, says)),
        40 => (0..12usize, knobs()).prop_map(|(offer, knobs)| Line::Offer(offer, knobs)),
        20 => (0..=SLOTS.len(), knobs()).prop_map(|(slot, knobs)| Line::Wildcard(slot, knobs)),
        1 => (0..=PARTS, 0..=SLOTS.len(), knobs()).prop_map(|(plugin, slot, knobs)| Line::Stray(plugin, slot, knobs)),
    ];
    prop::collection::vec(line, 0..7)
}

pub(crate) fn doc(lines: &[Line], cast: &Cast) -> Doc {
    let known = cast.here.iter().chain(&cast.removed).copied();
    let offers: Vec<(usize, usize)> =
        known.flat_map(|it| cast.parts[it].offers.keys().map(move |slot| (it, *slot))).collect();
    let mut doc = Doc::default();
    for line in lines {
        match *line {
            Line::Plugin(plugin, on, says) => drop(doc.plugins.insert(plugin, (on, says))),
            Line::Offer(_, _) if offers.is_empty() => {}
            Line::Offer(number, knobs) => {
                let (plugin, slot) = offers[number % offers.len()];
                doc.pins.insert((Some(plugin), slot), knobs);
            }
            Line::Wildcard(slot, knobs) => drop(doc.pins.insert((None, slot), knobs)),
            Line::Stray(plugin, slot, knobs) => drop(doc.pins.insert((Some(plugin), slot), knobs)),
        }
    }
    doc
}

pub(crate) fn unknown() -> impl Strategy<Value = UnknownReferences> {
    prop_oneof![
        Just(UnknownReferences::Reject),
        Just(UnknownReferences::Skip),
        Just(UnknownReferences::Ignore)
    ]
}

/// A failure on purpose: the hook of one plugin or of any, after so many calls that work, and for so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) plugin: Option<usize>,
    pub(crate) at: At,
    pub(crate) how: How,
    pub(crate) after: u8,
    pub(crate) times: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum At {
    /// Registering for the first time, when the plugin is added.
    Declare,
    Register,
    Build,
    /// A service attaches.
    Begin,
    Attach,
    Told,
    Detach,
    /// A service detaches.
    End,
    Goodbye,
    Guard,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    Error,
    Panic,
    Hang,
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![Just(How::Error), Just(How::Panic), Just(How::Hang)]
}

pub(crate) fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let at = prop_oneof![
        1 => Just(At::Declare),
        2 => Just(At::Register),
        2 => Just(At::Build),
        3 => Just(At::Begin),
        6 => Just(At::Attach),
        4 => Just(At::Told),
        2 => Just(At::Detach),
        2 => Just(At::End),
        1 => Just(At::Goodbye),
        1 => Just(At::Guard),
    ];
    let fault = (prop::option::of(0..=PARTS), at, how(), 0..4u8, 1..5u8)
        .prop_map(|(plugin, at, how, after, times)| Fault { plugin, at, how, after, times });
    prop_oneof![1 => Just(Vec::new()), 1 => prop::collection::vec(fault, 1..6)]
}

/// How long a caller waits: to the end, or for so many polls.
pub(crate) type Patience = Option<u8>;

pub(crate) fn patience() -> impl Strategy<Value = Patience> {
    prop_oneof![4 => Just(None), 1 => (0..6u8).prop_map(Some)]
}

/// A change, and how it is asked for.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Update(Vec<Line>),
    /// Planned first, and applied as planned.
    Apply(Vec<Line>),
    /// After others that nobody has looked at yet.
    Latest(Vec<Line>, u8),
    /// Of the global scope, or of a session.
    Overlay(usize, Vec<Line>),
    Add(usize, Part),
    Remove(usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Change {
        what: What,
        faults: Vec<Fault>,
        patience: Patience,
    },
    /// The same settings twice, and then there and back.
    Again {
        there: Vec<Line>,
    },
    /// A plan is made, something else happens, and the plan is applied.
    Late {
        lines: Vec<Line>,
        between: Box<Step>,
    },
    /// A hook asks for a change while another is made, and may fail then.
    Asked {
        lines: Vec<Line>,
        wish: Vec<Line>,
        at: At,
        fails: Option<How>,
        patience: Patience,
    },
    Snapshot {
        lines: Vec<Line>,
    },
    /// Everything is looked up, so that what is lazy must stand.
    Touch {
        faults: Vec<Fault>,
    },
    Open {
        over: Vec<Line>,
        faults: Vec<Fault>,
        patience: Patience,
    },
    Close {
        which: usize,
        faults: Vec<Fault>,
        patience: Patience,
    },
}

impl Step {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let step = || {
            prop_oneof![
                12 => (what(), faults(), patience())
                    .prop_map(|(what, faults, patience)| Self::Change { what, faults, patience }),
                1 => lines().prop_map(|lines| Self::Snapshot { lines }),
                2 => faults().prop_map(|faults| Self::Touch { faults }),
                4 => (over(), faults(), patience())
                    .prop_map(|(over, faults, patience)| Self::Open { over, faults, patience }),
                1 => (any::<usize>(), faults(), patience())
                    .prop_map(|(which, faults, patience)| Self::Close { which, faults, patience }),
            ]
        };
        let at = prop_oneof![Just(At::Attach), Just(At::Told), Just(At::Detach)];
        prop_oneof![
            20 => step(),
            1 => lines().prop_map(|there| Self::Again { there }),
            2 => (lines(), step()).prop_map(|(lines, between)| Self::Late { lines, between: Box::new(between) }),
            2 => (lines(), lines(), at, prop::option::of(how()), patience()).prop_map(
                |(lines, wish, at, fails, patience)| Self::Asked { lines, wish, at, fails, patience }
            ),
        ]
    }
}

/// What a session has on top from the start: mostly nothing.
fn over() -> impl Strategy<Value = Vec<Line>> {
    prop_oneof![2 => Just(Vec::new()), 1 => lines()]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        6 => lines().prop_map(What::Update),
        2 => lines().prop_map(What::Apply),
        1 => (lines(), 0..3u8).prop_map(|(lines, before)| What::Latest(lines, before)),
        4 => (0..4usize, lines()).prop_map(|(which, lines)| What::Overlay(which, lines)),
        2 => (0..=PARTS, Part::any()).prop_map(|(plugin, part)| What::Add(plugin, part)),
        2 => (0..=PARTS).prop_map(What::Remove),
    ]
}

/// How a play ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Shutdown(Patience),
    /// While a change is being made, for which somebody waits or does not.
    InTheMiddle(Vec<Line>, bool),
    /// Nobody holds the runtime or a session any more.
    LetGo,
}

impl Ending {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            patience().prop_map(Self::Shutdown),
            (lines(), any::<bool>()).prop_map(|(lines, waits)| Self::InTheMiddle(lines, waits)),
            Just(Self::LetGo),
        ]
    }
}
