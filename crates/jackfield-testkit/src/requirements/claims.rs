use std::mem;

use crate::code::{code_of, comments_of};

/// A number in a comment.
#[derive(Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) file: String,
    pub(super) number: String,
    /// The test that the comment belongs to, if it belongs to one.
    pub(super) test: Option<String>,
}

/// The numbers that the comments of a source name. A comment belongs to the test whose body it stands in, or which
/// it stands right above.
pub(super) fn claims(file: &str, source: &str) -> Vec<Claim> {
    let (code, comments) = (code_of(source), comments_of(source));
    let mut found = Vec::new();
    let mut claim = |numbers: Vec<String>, test: Option<&str>| {
        let claims = numbers.into_iter().map(|number| {
            let (file, test) = (file.to_owned(), test.map(str::to_owned));
            Claim { file, number, test }
        });
        found.extend(claims);
    };

    let mut waiting: Vec<String> = Vec::new();
    let (mut depth, mut attribute) = (0_i32, false);
    let mut current: Option<Body> = None;
    for (code, comment) in code.lines().zip(comments.lines().chain(std::iter::repeat(""))) {
        match &current {
            Some(body) => claim(numbers(comment), Some(&body.test)),
            None => {
                waiting.extend(numbers(comment));
                attribute |= ["#[test]", "#[tokio::test"].iter().any(|begin| code.contains(begin));
                if let Some(test) = name_of_function(code).filter(|_| attribute) {
                    claim(mem::take(&mut waiting), Some(test));
                    attribute = false;
                    current = Some(Body { test: test.to_owned(), depth, entered: false });
                } else if !code.trim().is_empty() && !code.trim_start().starts_with("#[") {
                    claim(mem::take(&mut waiting), None);
                }
            }
        }
        for brace in code.chars() {
            depth += i32::from(brace == '{') - i32::from(brace == '}');
            if let Some(body) = &mut current {
                body.entered |= depth > body.depth;
            }
        }
        current = current.filter(|body| !body.entered || depth > body.depth);
    }
    claim(waiting, None);
    found
}

struct Body {
    test: String,
    /// How deep the braces were before it.
    depth: i32,
    entered: bool,
}

fn name_of_function(code: &str) -> Option<&str> {
    let after = code.split_once("fn ")?.1;
    let end = after.find(|c: char| !crate::code::is_word(c))?;
    Some(&after[..end])
}

/// The numbers of requirements, defects and decisions in a text: `R-BUS-04`, `F-25`, `J-10`.
pub(super) fn numbers(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| is_number(word)).map(str::to_owned).collect()
}

fn is_number(word: &str) -> bool {
    let Some((family, digits)) = word.rsplit_once('-') else { return false };
    let is_family = match family.split_once('-') {
        Some((kind, name)) => {
            kind == "R" && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase())
        }
        None => family == "F" || family == "J",
    };
    is_family && digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
}
