//! A stranger's XML, read within bounds. Names are compared without their prefix and namespace:
//! cameras differ in both and agree in the words. No document type is read, so no entity of its own
//! can grow.

use std::str::FromStr;

use roxmltree::{Document, Node, ParsingOptions};

/// The longest answer that is read; the longest honest one, of all profiles, is a fifth of it.
pub const MAX_BYTES: usize = 512 * 1024;
const MAX_NODES: u32 = 20_000;
const MAX_DEPTH: usize = 48;
/// Of the whole answer: an element's are compared with each other.
const MAX_ATTRIBUTES: usize = 8192;
/// Characters of one text: longer ones are names of nothing.
const MAX_TEXT: usize = 512;

/// Why an answer is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is longer than {} KiB", MAX_BYTES / 1024)]
    Long,
    #[error("it holds more elements, or deeper ones, than any honest answer")]
    Crowded,
    #[error("it is not XML: {0}")]
    NotXml(String),
}

/// Reads `text`.
pub fn parse(text: &str) -> Result<Document<'_>, Unreadable> {
    if text.len() > MAX_BYTES {
        return Err(Unreadable::Long);
    }
    if text.bytes().filter(|b| *b == b'=').count() > MAX_ATTRIBUTES {
        return Err(Unreadable::Crowded);
    }
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => Unreadable::Crowded,
        error => Unreadable::NotXml(plain(&error.to_string())),
    })?;
    let mut depths: Vec<usize> = Vec::new();
    for node in document.descendants() {
        let depth =
            node.parent().and_then(|p| depths.get(p.id().get_usize())).map_or(0, |depth| depth + 1);
        if depth > MAX_DEPTH {
            return Err(Unreadable::Crowded);
        }
        depths.push(depth);
    }
    Ok(document)
}

/// The elements of this name directly in `node`.
pub fn children<'a, 'i>(
    node: Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, name))
}

/// The first element at this way down from `node`.
pub fn at<'a, 'i>(node: Node<'a, 'i>, way: &[&'static str]) -> Option<Node<'a, 'i>> {
    way.iter().try_fold(node, |node, name| node.children().find(|child| is(*child, name)))
}

/// The first element of this name anywhere in `node`.
pub fn find<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.descendants().find(|node| is(*node, name))
}

/// The text at this way down from `node`; none where it is empty.
pub fn text(node: Node<'_, '_>, way: &[&'static str]) -> Option<String> {
    at(node, way).and_then(own_text)
}

pub fn own_text(node: Node<'_, '_>) -> Option<String> {
    Some(plain(node.text()?)).filter(|text| !text.is_empty())
}

/// The number at this way down from `node`.
pub fn number<T: FromStr>(node: Node<'_, '_>, way: &[&'static str]) -> Option<T> {
    text(node, way)?.parse().ok()
}

pub fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    let value = node.attributes().find(|attribute| attribute.name() == name)?.value();
    Some(plain(value)).filter(|text| !text.is_empty())
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// A stranger's words as one bounded line that nothing in them can turn around or break.
pub fn plain(words: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let line = words.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    line.filter(|c| !turns(*c)).take(MAX_TEXT).collect::<String>().trim().to_owned()
}

/// `text` as content or attribute of a request.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Not even as references are these allowed in XML.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_found_under_any_prefix() {
        for (prefix, declared) in [("", "xmlns"), ("a:", "xmlns:a"), ("ns-1:", "xmlns:ns-1")] {
            let text = format!(
                "<{prefix}A {declared}='urn:x' {prefix}token=' t&amp;1 '><{prefix}B><{prefix}C> \u{202e}x\ny \
                 </{prefix}C></{prefix}B></{prefix}A>"
            );
            // A name without prefix has no namespace as an attribute's; either way it is found.
            let document = parse(&text).unwrap();
            let a = document.root_element();
            assert_eq!(super::text(a, &["B", "C"]).as_deref(), Some("x y"));
            assert_eq!(attribute(a, "token").as_deref(), Some("t&1"));
            assert!(find(a, "C").is_some() && at(a, &["C"]).is_none());
        }
    }

    #[test]
    fn bombs_depth_and_crowds_are_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><x>&b;</x>";
        assert!(matches!(parse(bomb), Err(Unreadable::NotXml(_))));
        let file = "<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><x>&f;</x>";
        assert!(matches!(parse(file), Err(Unreadable::NotXml(_))));
        let deep = "<a>".repeat(60_000);
        assert_eq!(parse(&deep).unwrap_err(), Unreadable::Crowded);
        let deep = format!("{}{}", "<a>".repeat(60), "</a>".repeat(60));
        assert_eq!(parse(&deep).unwrap_err(), Unreadable::Crowded);
        let many = format!("<a>{}</a>", "<b/>".repeat(30_000));
        assert_eq!(parse(&many).unwrap_err(), Unreadable::Crowded);
        let attributes: String = (0..9000).map(|n| format!(" a{n}=''")).collect();
        assert_eq!(parse(&format!("<a{attributes}/>")).unwrap_err(), Unreadable::Crowded);
        assert_eq!(parse(&" ".repeat(MAX_BYTES + 1)).unwrap_err(), Unreadable::Long);
    }

    proptest! {
        #[test]
        fn what_is_escaped_comes_back(text in any::<String>()) {
            let written = format!("<a b=\"{0}\">{0}</a>", escaped(&text));
            // U+FFFE and U+FFFF are no characters of XML: refused, never misread.
            if let Ok(document) = parse(&written) {
                let node = document.root_element();
                prop_assert_eq!(own_text(node).unwrap_or_default(), plain(&text));
            } else {
                let refused = ['\u{fffe}', '\u{ffff}'];
                prop_assert!(text.contains(refused));
            }
        }
    }
}
