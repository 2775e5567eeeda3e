//! What a schema demands of values besides their types.

use std::sync::OnceLock;

use jsonschema::{
    ValidationError, Validator,
    error::ValidationErrorKind as Kind,
    paths::{Location, LocationSegment},
};
use schemars::Schema;
use serde_json::Value;

use crate::settings::{DocumentPath, Problem};

/// The limits of one type: ranges, lengths, patterns and counts. Compiled when first needed, and once.
#[derive(Default)]
pub(super) struct Limits(OnceLock<Option<Validator>>);

impl Limits {
    /// All limits that `value`, which could be read, does not keep.
    ///
    /// Whether the value has the right shape is not asked: what can be read is right, also where the schema does not
    /// know it, such as a field's former name.
    pub(super) fn broken(&self, schema: fn() -> Schema, path: &DocumentPath, value: &Value) -> Vec<Problem> {
        let Some(validator) = self.validator(schema) else { return Vec::new() };
        let mut problems = Vec::new();
        for error in validator.iter_errors(value) {
            problems.extend(broken(&error).into_iter().flatten().map(|error| problem(path, error)));
        }
        sorted(problems)
    }

    /// What is wrong with `value`, which could not be read, besides `first`, which was found by reading it.
    pub(super) fn besides(
        &self,
        first: &Problem,
        schema: fn() -> Schema,
        path: &DocumentPath,
        value: &Value,
    ) -> Vec<Problem> {
        let Some(validator) = self.validator(schema) else { return Vec::new() };
        let found = validator.iter_errors(value).flat_map(|error| problems(path, &error));
        // A schema finds the same at the same place, or says at a table what reading says of a value in it.
        sorted(found.filter(|problem| !first.path.keys().starts_with(problem.path.keys())).collect())
    }

    fn validator(&self, schema: fn() -> Schema) -> Option<&Validator> {
        let validator = self.0.get_or_init(|| {
            let schema = schema();
            let compiled = jsonschema::options().should_validate_formats(false).build(schema.as_value());
            let log = |error: &ValidationError<'_>| {
                tracing::warn!(target: "jackfield::runtime", %error, "A configuration's schema is wrong; no limits are checked.");
            };
            compiled.inspect_err(log).ok()
        });
        validator.as_ref()
    }
}

/// The limits that `error` is about; `None` if it is about the shape. Of alternatives, the first counts whose shape
/// fits.
fn broken<'a>(error: &'a ValidationError<'a>) -> Option<Vec<&'a ValidationError<'a>>> {
    match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => context.iter().find_map(|alternative| {
            let limits: Option<Vec<Vec<_>>> = alternative.iter().map(broken).collect();
            limits.map(|limits| limits.into_iter().flatten().collect())
        }),
        Kind::Minimum { .. }
        | Kind::Maximum { .. }
        | Kind::ExclusiveMinimum { .. }
        | Kind::ExclusiveMaximum { .. }
        | Kind::MultipleOf { .. }
        | Kind::MinLength { .. }
        | Kind::MaxLength { .. }
        | Kind::Pattern { .. }
        | Kind::MinItems { .. }
        | Kind::MaxItems { .. }
        | Kind::UniqueItems
        | Kind::Contains
        | Kind::MinProperties { .. }
        | Kind::MaxProperties { .. } => Some(vec![error]),
        _ => None,
    }
}

/// `error`, with a problem of its own for each field that is not known.
fn problems(path: &DocumentPath, error: &ValidationError<'_>) -> Vec<Problem> {
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let table = place(path, error.instance_path());
            let unknown =
                |field: &String| Problem::new(table.join(field), format!("unknown field `{field}`"));
            unexpected.iter().map(unknown).collect()
        }
        _ => vec![problem(path, error)],
    }
}

/// Schemas do not say in which order they are looked through.
fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|one, other| one.path.cmp(&other.path));
    problems
}

fn problem(path: &DocumentPath, error: &ValidationError<'_>) -> Problem {
    Problem::new(place(path, error.instance_path()), error.to_string())
}

fn place(path: &DocumentPath, location: &Location) -> DocumentPath {
    location.segments().fold(path.clone(), |path, segment| match segment {
        LocationSegment::Property(key) => path.join(key),
        LocationSegment::Index(index) => path.join(index.to_string()),
    })
}
