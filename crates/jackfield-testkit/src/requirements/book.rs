use std::collections::BTreeMap;

use super::claims::numbers;

/// All promises, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) promises: BTreeMap<String, Promise>,
    pub(super) problems: Vec<String>,
}

/// One promise.
#[derive(Debug)]
pub(super) struct Promise {
    /// Where it is made.
    pub(super) file: String,
    /// The decisions that replace what it is about.
    pub(super) decisions: Vec<String>,
    /// Whether it says of itself that it is not kept yet: `(open)`.
    pub(super) open: bool,
}

impl Book {
    /// Reads the promises of one page: paragraphs, or items of a list, that begin with a number in bold.
    pub(super) fn read(&mut self, file: &str, page: &str) {
        let mut last: Option<String> = None;
        for line in page.lines() {
            let text = line.trim_start_matches(['-', '*', ' ']);
            let line = line.trim_start();
            let number = line.contains("**").then(|| text.split("**").next().map(numbers)).flatten();
            let number = number.and_then(|numbers| numbers.into_iter().next());
            if let Some(number) = number.filter(|number| text.starts_with(number.as_str())) {
                let promise = Promise { file: file.to_owned(), decisions: Vec::new(), open: false };
                if self.promises.insert(number.clone(), promise).is_some() {
                    self.problems.push(format!("{file} promises {number}, which has been promised before"));
                }
                last = Some(number);
            } else if line.is_empty() || line.starts_with('#') {
                last = None;
            }
            if let Some(promise) = last.as_ref().and_then(|number| self.promises.get_mut(number)) {
                let decisions = numbers(text).into_iter().filter(|number| number.starts_with("J-"));
                promise.decisions.extend(decisions);
                promise.open |= text.contains("(open)");
            }
        }
    }
}
