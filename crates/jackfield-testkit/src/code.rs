/// Rust source without its comments and the insides of its literals: what is left is code. Line breaks stay
/// where they are, so lines can be counted.
pub fn code_of(source: &str) -> String {
    split(source).0
}

/// What remains of Rust source when only its comments are kept. Line breaks stay where they are.
pub(crate) fn comments_of(source: &str) -> String {
    split(source).1
}

/// The code of a source, and its comments.
fn split(source: &str) -> (String, String) {
    let (mut code, mut comments) = (String::with_capacity(source.len()), String::new());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let mut is_comment = false;
        let length = if rest.starts_with("//") {
            is_comment = true;
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            is_comment = true;
            block_comment(rest)
        } else if let Some(length) = raw_string(rest, &code) {
            length
        } else if next == '"' {
            quoted(rest, '"')
        } else if let Some(length) = character(rest) {
            length
        } else {
            code.push(next);
            comments.extend((next == '\n').then_some(next));
            rest = &rest[next.len_utf8()..];
            continue;
        };
        let (left_out, after) = rest.split_at(length);
        code.push(' ');
        code.extend(left_out.matches('\n'));
        if is_comment {
            comments.push_str(left_out);
        } else {
            comments.extend(left_out.matches('\n'));
        }
        rest = after;
    }
    (code, comments)
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let here = &text[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#` and their kin, unless the `r` ends a longer word. `r#type` is a word and no string.
fn raw_string(text: &str, before: &str) -> Option<usize> {
    if before.ends_with(is_word) {
        return None;
    }
    let after_prefix =
        text.strip_prefix("br").or_else(|| text.strip_prefix("cr")).or_else(|| text.strip_prefix('r'))?;
    let inside = after_prefix.trim_start_matches('#');
    let hashes = &after_prefix[..after_prefix.len() - inside.len()];
    let inside = inside.strip_prefix('"')?;
    let end = format!("\"{hashes}");
    let start = text.len() - inside.len();
    Some(inside.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// The length of a literal that begins with `quote` and has backslashes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// A character literal, as opposed to a lifetime.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let mut chars = inside.chars();
    let first = chars.next()?;
    (first == '\\' || chars.next() == Some('\'')).then(|| quoted(text, '\''))
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{code_of, comments_of};

    #[track_caller]
    fn check(source: &str, words: &[&str]) {
        let code = code_of(source);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), words);
    }

    #[test]
    fn comments_are_no_code() {
        check("a // b\nc /// d\n//! e\nf", &["a", "c", "f"]);
        check("a /* b /* c */ d */ e", &["a", "e"]);
    }

    #[test]
    fn literals_are_no_code() {
        check(r#"a("b \" c") d"#, &["a(", ")", "d"]);
        check(r###"a r#"b " c"# d br"e\" f"###, &["a", "d", "f"]);
        check(r"a '\'' b '/' c '\u{41}' d", &["a", "b", "c", "d"]);
    }

    #[test]
    fn lifetimes_and_raw_words_are_code() {
        check("fn f<'a>(x: &'a str) {}", &["fn", "f<'a>(x:", "&'a", "str)", "{}"]);
        check("r#type for r in bar", &["r#type", "for", "r", "in", "bar"]);
    }

    #[test]
    fn comments_are_kept_apart_from_what_looks_like_them() {
        assert_eq!(comments_of("a // b\n\"// c\" /* d */ e"), "// b\n/* d */");
    }

    #[test]
    fn lines_can_be_counted() {
        let source = "a /* \n */ \"\n\" // b\nc";
        assert_eq!(code_of(source).lines().count(), 4);
        assert_eq!(comments_of(source).lines().count(), 3, "and nothing in the last");
    }
}
