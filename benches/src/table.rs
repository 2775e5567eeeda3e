//! The rows of a run: how they are made, printed and written down.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;

use crate::{
    alloc::Allocated,
    measure::{Contender, Effort, Samples, Spread, exponent, interleaved},
};

/// What a figure is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanos,
    Micros,
    Millis,
    Bytes,
    Allocations,
    Exponent,
    #[cfg(feature = "engines")]
    Frames,
    /// Something over something.
    Times,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Nanos => "ns",
            Self::Micros => "µs",
            Self::Millis => "ms",
            Self::Bytes => "B",
            Self::Allocations => "allocations",
            Self::Exponent => "exponent",
            #[cfg(feature = "engines")]
            Self::Frames => "frames",
            Self::Times => "×",
        }
    }

    /// What nanoseconds are multiplied by.
    fn of_nanos(self) -> f64 {
        match self {
            Self::Micros => 1e-3,
            Self::Millis => 1e-6,
            _ => 1.0,
        }
    }
}

/// What a row should reach.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    None,
    /// So many times the floor, at most.
    Ratio(f64),
    /// So much in the row's unit, at most.
    AtMost(f64),
    /// So much in the row's unit, at least.
    AtLeast(f64),
}

impl Goal {
    fn text(self, unit: Unit) -> String {
        match self {
            Self::None => String::new(),
            Self::Ratio(most) => format!("≤ {most}× floor"),
            Self::AtMost(most) => format!("≤ {most} {}", unit.name()),
            Self::AtLeast(least) => format!("≥ {least} {}", unit.name()),
        }
    }

    fn is_met(self, value: f64, ratio: Option<f64>) -> Option<bool> {
        match self {
            Self::None => None,
            Self::Ratio(most) => ratio.map(|ratio| ratio <= most),
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
        }
    }
}

/// A row as it is written down.
#[derive(Serialize)]
pub(crate) struct Row {
    group: &'static str,
    name: String,
    value: f64,
    unit: &'static str,
    floor: Option<f64>,
    ratio: Option<f64>,
    peers: serde_json::Map<String, serde_json::Value>,
    goal: Option<String>,
    meets: Option<bool>,
    #[serde(skip)]
    spread: Option<Spread>,
}

impl Row {
    pub(crate) fn meets(&self) -> Option<bool> {
        self.meets
    }
}

/// A row about to be measured.
pub(crate) struct Planned<'a> {
    name: String,
    unit: Unit,
    goal: Goal,
    /// Jackfield, the floor if there is one, then the peers.
    contenders: Vec<Contender<'a>>,
    has_floor: bool,
}

impl<'a> Planned<'a> {
    pub(crate) fn new(name: impl Into<String>, unit: Unit, jackfield: Contender<'a>) -> Self {
        Self { name: name.into(), unit, goal: Goal::None, contenders: vec![jackfield], has_floor: false }
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = goal;
        self
    }

    /// Before any peer.
    pub(crate) fn floor(mut self, floor: Contender<'a>) -> Self {
        self.has_floor = true;
        self.contenders.push(floor);
        self
    }

    pub(crate) fn peers(mut self, peers: impl IntoIterator<Item = Contender<'a>>) -> Self {
        self.contenders.extend(peers);
        self
    }
}

/// The rows of one group as they come in.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) quick: bool,
    effort: Effort,
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Group {
    pub(crate) fn new(name: &'static str, quick: bool) -> Self {
        let effort = if quick {
            Effort { rounds: 41, sample: Duration::from_millis(1), patience: Duration::from_millis(300) }
        } else {
            Effort { rounds: 201, sample: Duration::from_millis(2), patience: Duration::from_secs(3) }
        };
        Self { name, quick, effort, rows: Vec::new(), notes: Vec::new() }
    }

    /// How long to look, for whoever measures by itself.
    #[cfg(feature = "engines")]
    pub(crate) fn effort(&self) -> Effort {
        self.effort
    }

    /// One of two, by how long the run may take.
    pub(crate) fn scale<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Something to say below the table.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Measures a row by turns.
    pub(crate) fn measure(&mut self, mut planned: Planned<'_>) {
        eprint!("\r\x1b[K{}: {}", self.name, planned.name);
        let samples = interleaved(&mut planned.contenders, self.effort);
        self.take(&planned, &samples);
    }

    /// Measures how many times faster one is than the other.
    pub(crate) fn speed_up(&mut self, name: &str, fast: Contender<'_>, slow: Contender<'_>, goal: Goal) {
        eprint!("\r\x1b[K{}: {name}", self.name);
        let samples = interleaved(&mut [fast, slow], self.effort);
        self.figure(name, Unit::Times, samples.ratio(1, 0), None, goal);
    }

    fn take(&mut self, planned: &Planned<'_>, samples: &Samples) {
        let factor = planned.unit.of_nanos();
        let spread = |place| samples.spread(place).scaled(factor);
        let (floor, ratio) = if planned.has_floor {
            (Some(spread(1).median), Some(samples.ratio(0, 1)))
        } else {
            (None, None)
        };
        let first_peer = 1 + usize::from(planned.has_floor);
        let peers = planned.contenders.iter().enumerate().skip(first_peer);
        let peers = peers.map(|(place, peer)| (peer.name.to_owned(), spread(place).median.into())).collect();
        let value = spread(0).median;
        self.rows.push(Row {
            group: self.name,
            name: planned.name.clone(),
            value,
            unit: planned.unit.name(),
            floor,
            ratio,
            peers,
            goal: goal_text(planned.goal, planned.unit),
            meets: planned.goal.is_met(value, ratio),
            spread: Some(spread(0)),
        });
    }

    /// Measures the same at several sizes, by turns, and how it grows: a row for each and one for the exponent.
    pub(crate) fn grow<'a>(
        &mut self,
        name: &str,
        unit: Unit,
        goal: Goal,
        sizes: &[usize],
        contender: impl FnMut(usize) -> Contender<'a>,
    ) {
        eprint!("\r\x1b[K{}: {name}", self.name);
        let mut contenders: Vec<_> = sizes.iter().copied().map(contender).collect();
        let samples = interleaved(&mut contenders, self.effort);
        let mut points = Vec::new();
        for (place, size) in sizes.iter().enumerate() {
            let spread = samples.spread(place).scaled(unit.of_nanos());
            points.push((*size as f64, spread.median));
            self.figure_with(
                format!("{name}, of {size}"),
                unit,
                spread.median,
                None,
                Goal::None,
                Some(spread),
            );
        }
        self.figure(format!("{name}: growth"), Unit::Exponent, exponent(&points), None, goal);
    }

    /// A row that was found out otherwise.
    pub(crate) fn figure(
        &mut self,
        name: impl Into<String>,
        unit: Unit,
        value: f64,
        floor: Option<f64>,
        goal: Goal,
    ) {
        self.figure_with(name.into(), unit, value, floor, goal, None);
    }

    /// What was allocated, per thing: two rows.
    pub(crate) fn allocated(&mut self, name: &str, allocated: Allocated, things: usize) {
        let each = |count: f64| count / things as f64;
        self.figure(
            format!("{name}, allocations"),
            Unit::Allocations,
            each(allocated.times as f64),
            None,
            Goal::None,
        );
        self.figure(format!("{name}, bytes"), Unit::Bytes, each(allocated.kept as f64), None, Goal::None);
    }

    fn figure_with(
        &mut self,
        name: String,
        unit: Unit,
        value: f64,
        floor: Option<f64>,
        goal: Goal,
        spread: Option<Spread>,
    ) {
        let ratio = floor.filter(|floor| *floor != 0.0).map(|floor| value / floor);
        self.rows.push(Row {
            group: self.name,
            name,
            value,
            unit: unit.name(),
            floor,
            ratio,
            peers: serde_json::Map::new(),
            goal: goal_text(goal, unit),
            meets: goal.is_met(value, ratio),
            spread,
        });
    }

    /// Prints the table and gives the rows away.
    pub(crate) fn finish(self) -> Vec<Row> {
        eprint!("\r\x1b[K");
        println!("\n## {}\n\n{}", self.name, table(&self.rows));
        for note in &self.notes {
            println!("* {note}");
        }
        self.rows
    }
}

fn goal_text(goal: Goal, unit: Unit) -> Option<String> {
    Some(goal.text(unit)).filter(|text| !text.is_empty())
}

const HEADS: [&str; 7] = ["path", "Jackfield", "quartiles", "floor", "ratio", "goal", "peers"];

fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEADS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let mut widths = [0; HEADS.len()];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | ")).expect("a string takes everything");
        if number == 0 {
            let dashes = widths.map(|width| "-".repeat(width + 2));
            writeln!(text, "|{}|", dashes.join("|")).expect("a string takes everything");
        }
    }
    text
}

fn cells(row: &Row) -> [String; HEADS.len()] {
    let peers: Vec<_> = row
        .peers
        .iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", short(value.as_f64()?))))
        .collect();
    let goal = match (&row.goal, row.meets) {
        (Some(goal), Some(true)) => format!("{goal} ✓"),
        (Some(goal), Some(false)) => format!("{goal} ✗"),
        (Some(goal), None) => goal.clone(),
        (None, _) => String::new(),
    };
    [
        row.name.clone(),
        format!("{} {}", short(row.value), row.unit),
        row.spread.map_or_else(String::new, |spread| format!("{}–{}", short(spread.low), short(spread.high))),
        row.floor.map_or_else(String::new, short),
        row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}×")),
        goal,
        peers.join(", "),
    ]
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
