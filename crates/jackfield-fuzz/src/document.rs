//! Settings documents.

use jackfield::{Problems, RuntimeSettings};
use serde_json::Value;

pub(crate) const WORDS: &[&str] = &[
    "[plugins.",
    "[services.",
    "[plugins.a]\n",
    "[services.'a:b.c']\n",
    "enabled = true\n",
    "enabled = false\n",
    "config = {",
    "priority = ",
    "version = 1\n",
    "[[plugins]]\n",
    "\"\"\"",
    "'''",
    "inf",
    "nan",
    "1979-05-27T07:32:00Z",
    "0x",
    "1e400",
    "{\"plugins\":{",
    "\"services\":{",
    "\"enabled\":true",
    "\"config\":{",
    "\"priority\":",
    "null",
    "9223372036854775808",
    "18446744073709551615",
    "\\u0000",
    "'*:b.c'",
    "'*'",
];

/// A document; JSON if it begins like an object, TOML otherwise.
pub(crate) fn run(input: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(input) else { return false };
    let is_json = text.trim_start().starts_with('{');
    let read = if is_json { RuntimeSettings::from_json(text) } else { RuntimeSettings::from_toml(text) };
    let settings = match read {
        Ok(settings) => settings,
        Err(problems) => {
            check_refusal(&problems, text, is_json);
            return false;
        }
    };
    let json = settings.to_json();
    assert_eq!(RuntimeSettings::from_json(&json).as_ref(), Ok(&settings), "{json}");
    let toml = settings.to_toml();
    let again = RuntimeSettings::from_toml(&toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    if is_fit_for_toml(&Value::Object(settings.to_document())) {
        assert_eq!(again, settings, "{toml}");
    }
    let twice = RuntimeSettings::from_toml(&again.to_toml());
    assert_eq!(twice.as_ref(), Ok(&again), "{toml}");
    true
}

/// Whether TOML has something for all of it.
fn is_fit_for_toml(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Number(number) => !number.is_u64() || number.is_i64(),
        Value::Array(items) => items.iter().all(is_fit_for_toml),
        Value::Object(table) => table.values().all(is_fit_for_toml),
        Value::Bool(_) | Value::String(_) => true,
    }
}

fn check_refusal(problems: &Problems, text: &str, is_json: bool) {
    assert!(!problems.0.is_empty(), "refused without a reason");
    for problem in &problems.0 {
        assert!(!problem.message.is_empty(), "{problem:?}");
        assert_eq!(problem.to_string().lines().count(), 1, "{problem:?}");
        match problem.position {
            Some(place) => assert!((1..=text.split('\n').count()).contains(&place.line), "{problem:?}"),
            None => assert!(is_json, "{problem:?} is nowhere"),
        }
        assert!(problem.position.is_some() || !problem.path.keys().is_empty() || is_json, "{problem:?}");
    }
}
