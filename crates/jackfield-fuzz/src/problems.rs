//! What a refusal must look like.

use jackfield_engines::{Problem, ProjectError};

/// Says what is wrong, all of it, each in one line.
pub(crate) fn check_refusal(error: &ProjectError, text: &str) {
    assert!(!error.problems.is_empty(), "refused without a reason");
    error.problems.iter().for_each(|problem| check(problem, text));
    assert_eq!(error.to_string().lines().count(), error.problems.len(), "{error}");
}

/// A problem found in `text`.
pub(crate) fn check(problem: &Problem, text: &str) {
    assert!(!problem.message.is_empty() && !problem.remedy.is_empty(), "{problem:?}");
    assert_eq!(problem.to_string().lines().count(), 1, "{problem:?}");
    if let Some(place) = problem.position {
        // `serde_json` says line 1, column 0 of what ends before it begins.
        assert!((1..=text.split('\n').count()).contains(&place.line), "{problem:?}");
    }
    // A place of its own makes a message short.
    assert!(problem.to_string().len() < 2_000 + text.len(), "{problem:?}");
}
