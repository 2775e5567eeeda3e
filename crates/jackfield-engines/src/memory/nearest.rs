/// The longest name that is compared.
const LONGEST: usize = 64;

/// How many candidates are compared at most.
const MOST: usize = 2_000;

/// The candidate that `typed` was most likely meant to be, if any is close enough to be worth naming.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing takes the time of both lengths; of names that nobody has typed there is no nearest.
    let length = typed.chars().count();
    if length > LONGEST {
        return None;
    }
    // A third of the letters wrong is still a slip; more is another word.
    let tolerance = (length / 3).max(2);
    candidates
        .filter(|candidate| {
            candidate.len() <= 4 * LONGEST && candidate.chars().count().abs_diff(length) <= tolerance
        })
        .take(MOST)
        .map(|candidate| (strsim::damerau_levenshtein(typed, candidate), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
