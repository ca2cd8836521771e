//! PDF objects as they stand in a file (ISO 32000-1, 7.3), without streams' data: read, and written
//! back. Numbers and texts stay as they were written.

use std::fmt;

/// Nesting that no document of ours comes near.
const DEEPEST: u8 = 32;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    Reference(u32, u16),
    Array(Vec<Object>),
    Dictionary(Dictionary),
    /// A number, a text with its brackets, `true`, `null`: as written.
    Token(Vec<u8>),
    /// Without its slash.
    Name(String),
}

/// Keys in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dictionary(Vec<(String, Object)>);

/// What is not a PDF object, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PDF object at byte {0}")]
pub(super) struct Unreadable(pub usize);

impl Object {
    /// A text in Unicode (7.9.2.2).
    pub(super) fn text(text: &str) -> Self {
        let units = text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        Self::Token(format!("<FEFF{}>", hex::encode_upper(units)).into_bytes())
    }

    pub(super) fn name(name: &str) -> Self {
        Self::Name(name.into())
    }

    pub(super) fn raw(written: impl fmt::Display) -> Self {
        Self::Token(written.to_string().into_bytes())
    }

    pub(super) fn number(&self) -> Option<f64> {
        let Self::Token(token) = self else { return None };
        std::str::from_utf8(token).ok()?.parse().ok()
    }

    pub(super) fn whole(&self) -> Option<usize> {
        let Self::Token(token) = self else { return None };
        std::str::from_utf8(token).ok()?.parse().ok()
    }

    pub(super) fn array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    pub(super) fn dictionary(&self) -> Option<&Dictionary> {
        if let Self::Dictionary(dictionary) = self { Some(dictionary) } else { None }
    }

    pub(super) fn reference(&self) -> Option<u32> {
        if let Self::Reference(number, _) = self { Some(*number) } else { None }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Reference(number, generation) => {
                out.extend_from_slice(format!("{number} {generation} R").as_bytes());
            }
            Self::Token(token) => out.extend_from_slice(token),
            Self::Name(name) => {
                out.push(b'/');
                out.extend_from_slice(name.as_bytes());
            }
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b' ');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Dictionary(dictionary) => dictionary.write(out),
        }
    }

    /// The same with every reference to what `to` says.
    pub(super) fn renumbered(&self, to: &impl Fn(u32) -> u32) -> Self {
        match self {
            Self::Reference(number, _) => Self::Reference(to(*number), 0),
            Self::Array(items) => {
                Self::Array(items.iter().map(|item| item.renumbered(to)).collect())
            }
            Self::Dictionary(dictionary) => Self::Dictionary(dictionary.renumbered(to)),
            other => other.clone(),
        }
    }
}

impl Dictionary {
    pub(super) fn of<const N: usize>(entries: [(&str, Object); N]) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&Object> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub(super) fn is_name(&self, key: &str, name: &str) -> bool {
        matches!(self.get(key), Some(Object::Name(found)) if found == name)
    }

    pub(super) fn set(&mut self, key: &str, value: Object) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((key.into(), value)),
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Object> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(super) fn renumbered(&self, to: &impl Fn(u32) -> u32) -> Self {
        Self(self.0.iter().map(|(key, value)| (key.clone(), value.renumbered(to))).collect())
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<<");
        for (key, value) in &self.0 {
            out.extend_from_slice(b" /");
            out.extend_from_slice(key.as_bytes());
            out.push(b' ');
            value.write(out);
        }
        out.extend_from_slice(b" >>");
    }
}

/// Reads objects one after another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn object(&mut self) -> Result<Object, Unreadable> {
        self.nested(0)
    }

    /// Skips `word` where it comes next.
    pub(super) fn word(&mut self, word: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    pub(super) fn whole(&mut self) -> Option<usize> {
        self.object().ok()?.whole()
    }

    fn nested(&mut self, depth: u8) -> Result<Object, Unreadable> {
        if depth > DEEPEST {
            return Err(Unreadable(self.at));
        }
        self.skip_space();
        let start = self.at;
        match self.rest() {
            [b'<', b'<', ..] => {
                self.at += 2;
                let mut dictionary = Dictionary::default();
                while !self.word(">>") {
                    let Object::Name(key) = self.nested(depth + 1)? else {
                        return Err(Unreadable(start));
                    };
                    let value = self.nested(depth + 1)?;
                    dictionary.set(&key, value);
                }
                Ok(Object::Dictionary(dictionary))
            }
            [b'[', ..] => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.word("]") {
                    items.push(self.nested(depth + 1)?);
                }
                Ok(Object::Array(items))
            }
            [b'/', ..] => {
                self.at += 1;
                let name = self.regular();
                let name = std::str::from_utf8(name).map_err(|_| Unreadable(start))?;
                Ok(Object::Name(name.into()))
            }
            [b'<', ..] => {
                let length = self.rest().iter().position(|byte| *byte == b'>');
                self.at += length.ok_or(Unreadable(start))? + 1;
                Ok(self.token(start))
            }
            [b'(', ..] => {
                self.literal().ok_or(Unreadable(start))?;
                Ok(self.token(start))
            }
            _ => {
                if self.regular().is_empty() {
                    return Err(Unreadable(start));
                }
                Ok(self.reference(start).unwrap_or_else(|| self.token(start)))
            }
        }
    }

    /// `12 0 R`, whose first number has been read.
    fn reference(&mut self, start: usize) -> Option<Object> {
        let number = self.token(start).whole()?;
        let mut ahead = *self;
        ahead.skip_space();
        let second = ahead.at;
        ahead.regular();
        let generation = ahead.token(second).whole()?;
        ahead.skip_space();
        if ahead.regular() != b"R" {
            return None;
        }
        let read = (u32::try_from(number).ok()?, u16::try_from(generation).ok()?);
        self.at = ahead.at;
        Some(Object::Reference(read.0, read.1))
    }

    fn literal(&mut self) -> Option<()> {
        let mut open = 0_u32;
        let mut escaped = false;
        for (offset, byte) in self.rest().iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        self.at += offset + 1;
                        return Some(());
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn regular(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\0()<>[]{}/%".contains(byte);
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_space(&mut self) {
        loop {
            match self.rest() {
                [byte, ..] if byte.is_ascii_whitespace() || *byte == 0 => self.at += 1,
                [b'%', rest @ ..] => {
                    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    self.at += 1 + end.unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn token(&self, start: usize) -> Object {
        Object::Token(self.bytes[start..self.at].to_vec())
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> String {
        let object = Reader::new(text.as_bytes(), 0).object().unwrap();
        let mut out = Vec::new();
        object.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_read_is_written_back() {
        let text = "<< /Type /Page /Kids [1 0 R 2 0 R] /Box [0 -1.5 595.28 841.89] /T (a\\)(b)) \
                    /ID <00FF> /On true /In << /A null >> >>";
        assert_eq!(again(text), text);
        assert_eq!(again("<</A/B/C 1%x\n/D[1 0 R]>>"), "<< /A /B /C 1 /D [1 0 R] >>");
        assert_eq!(again("[1 0 2]"), "[1 0 2]");
    }

    #[test]
    fn nonsense_ends() {
        for text in ["<< /A", "[", "(", "<00", "<< 1 2 >>", "", ")", "]"] {
            assert!(Reader::new(text.as_bytes(), 0).object().is_err(), "{text}");
        }
        assert!(Reader::new("[".repeat(1000).as_bytes(), 0).object().is_err());
    }

    #[test]
    fn vietnamese_is_written_as_unicode() {
        let mut out = Vec::new();
        Object::text("Hà").write(&mut out);
        assert_eq!(out, b"<FEFF004800E0>");
    }
}
