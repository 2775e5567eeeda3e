use std::fmt;

use serde::Serialize;

use super::Position;

/// A place in a settings document: the keys from the top, and indices into arrays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct DocumentPath(Vec<String>);

impl DocumentPath {
    /// The path of these keys.
    pub fn new<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// This path and one key more.
    #[must_use]
    pub fn join(&self, key: impl Into<String>) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.into());
        Self(keys)
    }

    /// The keys, from the top.
    pub fn keys(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for DocumentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, key) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            let bare =
                !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if bare { write!(f, "{dot}{key}")? } else { write!(f, "{dot}{key:?}")? }
        }
        Ok(())
    }
}

impl From<DocumentPath> for String {
    fn from(path: DocumentPath) -> Self {
        path.to_string()
    }
}

/// One thing that is wrong with a settings document: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where, as keys from the top of the document.
    pub path: DocumentPath,
    /// Where, as line and column, when the text is at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Problem {
    /// Something wrong at `path`. A plugin that finds its configuration wrong may fail with [`Problems`]; whoever has
    /// the document can then say where.
    pub fn new(path: DocumentPath, message: impl Into<String>) -> Self {
        Self { path, position: None, message: in_one_line(message.into()), remedy: None }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(in_one_line(remedy.into()));
        self
    }
}

/// What was typed may have line breaks in it, or what moves a terminal's cursor.
fn in_one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let letter = |letter: char| {
        let (escaped, plain) =
            if letter.is_control() { (Some(letter.escape_default()), None) } else { (None, Some(letter)) };
        escaped.into_iter().flatten().chain(plain)
    };
    text.chars().flat_map(letter).collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(f, "{position}: ")?;
        }
        if !self.path.keys().is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(remedy) = &self.remedy {
            write!(f, "; {remedy}")?;
        }
        Ok(())
    }
}

/// All that is wrong with a settings document, at once. Displays as one line a problem.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(transparent)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// The same problems, with line and column looked up in the TOML document they are about.
    #[must_use]
    pub fn located_in_toml(mut self, text: &str) -> Self {
        for problem in self.0.iter_mut().filter(|problem| problem.position.is_none()) {
            problem.position = super::locate_in_toml(text, &problem.path);
        }
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            let line_break = if i == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}
