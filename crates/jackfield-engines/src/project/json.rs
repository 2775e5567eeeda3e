use base64::Engine as _;
use serde_json::{Map, Value};

use crate::project::problem::Problem;

/// The JSON in `text`, or where it stops being JSON.
pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text).map_err(|error| {
        let message = format!("not JSON: {}", without_position(&error));
        let remedy = "mend it there, or write the file again from what made it";
        Problem::whole(message, remedy).at(error.line(), error.column())
    })
}

/// `serde_json` ends its messages with the position, which has a field of its own here.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

/// A value and the keys that lead to it, for saying where something is wrong.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    pub(super) value: &'a Value,
    pub(super) place: String,
}

impl<'a> At<'a> {
    pub(super) fn new(value: &'a Value, place: impl Into<String>) -> Self {
        Self { value, place: place.into() }
    }

    /// The member called `key`; `None` if there is none, or this is no object.
    pub(super) fn get(&self, key: &str) -> Option<At<'a>> {
        Some(At { value: self.value.get(key)?, place: join(&self.place, key) })
    }

    pub(super) fn object(&self, problems: &mut Vec<Problem>) -> Option<&'a Map<String, Value>> {
        self.expect(self.value.as_object(), "an object", problems)
    }

    pub(super) fn text(&self, problems: &mut Vec<Problem>) -> Option<&'a str> {
        self.expect(self.value.as_str(), "a text", problems)
    }

    pub(super) fn number(&self, problems: &mut Vec<Problem>) -> Option<f64> {
        self.expect(self.value.as_f64(), "a number", problems)
    }

    pub(super) fn flag(&self, problems: &mut Vec<Problem>) -> Option<bool> {
        self.expect(self.value.as_bool(), "true or false", problems)
    }

    /// A whole number from 0; JavaScript does not tell `3.0` from `3`.
    pub(super) fn whole(&self, problems: &mut Vec<Problem>) -> Option<u32> {
        self.expect(whole(self.value), "a whole number from 0 to 4294967295", problems)
    }

    pub(super) fn list(&self, problems: &mut Vec<Problem>) -> Vec<At<'a>> {
        let Some(items) = self.expect(self.value.as_array(), "a list", problems) else { return Vec::new() };
        let item = |(index, value)| At { value, place: format!("{}[{index}]", self.place) };
        items.iter().enumerate().map(item).collect()
    }

    /// The bytes of a standard, padded base64 text.
    /// The members of an object by key, in order.
    pub(super) fn members(&self, problems: &mut Vec<Problem>) -> Vec<(String, At<'a>)> {
        let members = self.object(problems).into_iter().flatten();
        members.map(|(key, value)| (key.clone(), At::new(value, join(&self.place, key)))).collect()
    }

    pub(super) fn bytes(&self, problems: &mut Vec<Problem>) -> Option<Vec<u8>> {
        let text = self.text(problems)?;
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let cut = if text.len() % 4 == 0 { "" } else { ", and its length says that it was cut off" };
                let message = format!("not base64{cut}: {error}");
                problems.push(Problem::new(&self.place, message, "export the project again"));
                None
            }
        }
    }

    fn expect<T>(&self, found: Option<T>, wanted: &str, problems: &mut Vec<Problem>) -> Option<T> {
        if found.is_none() {
            let message = format!("{} is not {wanted}", brief(self.value));
            problems.push(Problem::new(&self.place, message, format!("make it {wanted}")));
        }
        found
    }
}

/// `key` below `place`, in brackets where a dot would mislead.
pub(super) fn join(place: &str, key: &str) -> String {
    match (place, key.contains(['.', ' ', '"']) || key.is_empty()) {
        ("", false) => key.to_owned(),
        (_, false) => format!("{place}.{key}"),
        (_, true) => format!("{place}[{key:?}]"),
    }
}

fn whole(value: &Value) -> Option<u32> {
    if let Some(number) = value.as_u64() {
        return u32::try_from(number).ok();
    }
    let number = value.as_f64()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was just checked")]
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

/// A value short enough for a message.
pub(super) fn brief(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) if text.chars().count() > 40 => {
            format!("{:?}…", text.chars().take(40).collect::<String>())
        }
        value => value.to_string(),
    }
}
