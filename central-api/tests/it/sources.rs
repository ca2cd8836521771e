//! The string literals of this crate's sources, for tests of what is written there.

use std::path::Path;

/// One literal, its escapes undone.
pub struct Literal {
    /// `case/query.rs:12`.
    pub place: String,
    pub text: String,
}

/// Every file of `src` with its name there, in the order of the names.
pub fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let read = |file: std::path::PathBuf| {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        (name, std::fs::read_to_string(&file).unwrap())
    };
    files.into_iter().map(read).collect()
}

/// Every string literal of `src`, in the order of the files.
pub fn literals() -> Vec<Literal> {
    let mut found = Vec::new();
    for (name, source) in sources() {
        for (line, text) in of_source(&source) {
            found.push(Literal { place: format!("{name}:{line}"), text });
        }
    }
    found
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Line and text of each literal: comments and characters passed over, escapes undone.
fn of_source(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    let line = |at: usize| source[..at].lines().count().max(1);
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if rest.starts_with("r\"") || rest.starts_with("r#\"") {
            let open = rest.find('"').unwrap() + 1;
            let close = if open == 2 { "\"" } else { "\"#" };
            let end = open + rest[open..].find(close).unwrap();
            found.push((line(at), rest[open..end].to_owned()));
            at += end + close.len();
        } else if c == '"' {
            let (text, length) = plain(&rest[1..]);
            found.push((line(at), text));
            at += 1 + length;
        } else if c == '\'' {
            at += character(rest);
        } else {
            at += c.len_utf8();
        }
    }
    found
}

/// A literal's text from behind its first quote, and the bytes up to behind its last.
fn plain(source: &str) -> (String, usize) {
    let mut text = String::new();
    let mut chars = source.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, at + 1),
            '\\' => match chars.next() {
                // The line goes on without its break and indentation.
                Some((_, '\n')) => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                Some((_, 'n')) => text.push('\n'),
                Some((_, other)) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    (text, source.len())
}

/// Bytes of the character literal at the start, or of a lifetime's quote.
fn character(source: &str) -> usize {
    let inner = &source[1..];
    let length = match inner.strip_prefix('\\') {
        Some(escaped) => 2 + escaped[1..].find('\'').unwrap_or(0),
        None => inner.chars().next().map_or(0, char::len_utf8),
    };
    if inner[length..].starts_with('\'') { length + 2 } else { 1 }
}

#[test]
fn literals_are_read_as_the_compiler_reads_them() {
    let source = "let a = \"SELECT \\\n    1\"; // \"no\"\n/* \"no\" */ let b: &'a str = r#\"a\"b\"#;\n\
                  let c = ('\"', '\\'', \"\\\"é\");";
    let texts = [(1, "SELECT 1"), (3, "a\"b"), (4, "\"é")];
    assert_eq!(of_source(source), texts.map(|(line, text)| (line, text.to_owned())));
}
