//! Code, cut into items. Not a parser: what rustc accepts and rustfmt has formatted is enough.

use super::word;

/// One item of a module, an `impl` or a trait.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    pub(super) attributes: Vec<String>,
    /// All that comes before the body, in one line.
    pub(super) header: String,
    pub(super) body: Option<String>,
}

/// What an `impl` is for.
pub(super) struct Implemented {
    pub(super) name: String,
    pub(super) of_trait: bool,
}

impl Item {
    /// What kind of public item it is, and its name.
    pub(super) fn public(&self) -> Option<(&str, &str)> {
        let mut rest = self.header.strip_prefix("pub ")?;
        loop {
            let first = word(rest);
            let after = rest[first.len()..].trim_start();
            match first {
                "struct" | "enum" | "trait" | "fn" | "type" | "static" | "union" => {
                    return Some((first, word(after)));
                }
                "const" if !matches!(word(after), "fn" | "unsafe" | "async") => {
                    return Some((first, word(after)));
                }
                "const" | "async" | "unsafe" => rest = after,
                _ => return None,
            }
        }
    }

    pub(super) fn is_for_tests(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute == "cfg(test)")
    }

    /// A macro's definition, or one of its arms.
    pub(super) fn is_macro(&self) -> bool {
        self.header.starts_with("macro_rules!") || self.header.ends_with("=>")
    }
}

/// The items of a piece of code without comments and literals.
pub(super) fn items(code: &str) -> Vec<Item> {
    let mut found = Vec::new();
    let mut rest = code.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    while !rest.is_empty() {
        let mut attributes = Vec::new();
        while let Some(open) = rest.strip_prefix('#').map(|rest| rest.strip_prefix('!').unwrap_or(rest)) {
            let end = closing(open, 0).unwrap_or(open.len());
            attributes.push(in_one_line(open.get(1..end).unwrap_or_default()));
            rest = open.get(end + 1..).unwrap_or_default().trim_start();
        }
        let (header, body, after) = cut(rest, is_value(rest));
        if !header.is_empty() {
            found.push(Item { attributes, header: in_one_line(header), body: body.map(str::to_owned) });
        }
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    }
    found
}

/// Whether the item that begins here ends at a semicolon, whatever braces it has.
fn is_value(rest: &str) -> bool {
    let rest = strip_visibility(rest);
    let first = word(rest);
    let second = word(rest[first.len()..].trim_start());
    match first {
        "use" | "static" | "type" => true,
        "const" => !matches!(second, "fn" | "unsafe" | "async"),
        _ => false,
    }
}

fn strip_visibility(rest: &str) -> &str {
    let Some(after) = rest.strip_prefix("pub") else { return rest };
    match after.strip_prefix('(') {
        Some(inside) => inside.split_once(')').map_or(rest, |(_, after)| after.trim_start()),
        None => after.trim_start(),
    }
}

/// The first item's header and body, and what comes after it. With `through`, braces are part of the header.
fn cut(rest: &str, through: bool) -> (&str, Option<&str>, &str) {
    let mut at = 0;
    while let Some(c) = rest[at..].chars().next() {
        match c {
            ';' => return (&rest[..at], None, &rest[at + 1..]),
            '{' if !through => {
                let end = closing(rest, at).unwrap_or(rest.len());
                return (&rest[..at], rest.get(at + 1..end), rest.get(end + 1..).unwrap_or_default());
            }
            '(' | '[' | '{' => at = closing(rest, at).unwrap_or(rest.len() - 1),
            _ => {}
        }
        at += rest[at..].chars().next().map_or(1, char::len_utf8);
    }
    (rest, None, "")
}

/// Where the bracket that opens at `open` closes.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The parts between commas that stand in no bracket, in one line each.
pub(super) fn split(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut start, mut before) = (Vec::new(), 0, 0, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if before != '-' && before != '=' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(in_one_line(&text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(in_one_line(&text[start..]));
    parts.retain(|part| !part.is_empty());
    parts
}

/// A field or a variant without what is said about it.
pub(super) fn without_attributes(text: &str) -> String {
    let mut rest = text;
    while let Some(open) = rest.strip_prefix('#') {
        let end = closing(open, 0).unwrap_or(open.len() - 1);
        rest = open[end + 1..].trim_start();
    }
    // Those of a variant's fields.
    match rest.find("#[") {
        None => rest.to_owned(),
        Some(at) => format!("{}{}", &rest[..at], without_attributes(&rest[at..])),
    }
}

/// The header of a struct, without those fields of a tuple that cannot be seen.
pub(super) fn with_public_fields(header: &str) -> String {
    let generics = header.find('<').filter(|at| header.find('(').is_none_or(|open| *at < open));
    let behind = generics.map_or(0, |at| at + angle(&header[at..]));
    let Some(open) = header[behind..].find('(').map(|at| behind + at) else { return header.to_owned() };
    let close = closing(header, open).unwrap_or(header.len() - 1);
    let seen = |field: &String| if field.starts_with("pub ") { field.clone() } else { "_".to_owned() };
    let fields: Vec<String> = split(&header[open + 1..close]).iter().map(seen).collect();
    format!("{}({}){}", &header[..open], fields.join(", "), &header[close + 1..])
}

/// The type that an `impl` is for.
pub(super) fn implemented(header: &str) -> Option<Implemented> {
    let rest = header.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { &rest[angle(rest)..] } else { rest };
    let (of_trait, target) = match rest.find(" for ") {
        // `for<'a>` is written without the second blank.
        Some(at) => (true, &rest[at + " for ".len()..]),
        None => (false, rest),
    };
    let path = target.trim_start();
    let end = path.find(|c: char| !(c.is_alphanumeric() || "_:$".contains(c))).unwrap_or(path.len());
    let name = path[..end].rsplit("::").next()?.to_owned();
    (!name.is_empty()).then_some(Implemented { name, of_trait })
}

/// Behind the angle bracket that closes the one at the beginning.
fn angle(text: &str) -> usize {
    let (mut depth, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' && before != '=' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        before = c;
    }
    text.len()
}

/// However it was broken into lines.
fn in_one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line
        .replace(", )", ")")
        .replace("( ", "(")
        .replace(", >", ">")
        .replace("< ", "<")
        .replace(", }", " }");
    line.trim_end_matches([',', ' ']).to_owned()
}
