use std::{fmt, ops::Range};

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::DocumentPath;

/// A place in a text, both counted from one; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The place of the byte `offset` in `text`.
    pub fn of_offset(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        Self { line, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where the deepest key of `path` that the TOML document has stands in its text.
pub fn locate_in_toml(text: &str, path: &DocumentPath) -> Option<Position> {
    let document = DeTable::parse(text).ok()?;
    let mut place: Option<Range<usize>> = None;
    let mut table = document.get_ref();
    for key in path.keys() {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == key) else { break };
        place = Some(name.span());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    place.map(|span| Position::of_offset(text, span.start))
}
