//! Which bytes of a file a signature covers: everything but the hole in which the signature itself
//! stands, as hexadecimal digits. The latest signature is found from the end of the file.

use std::ops::Range;

use memchr::memmem;
use sha2::{Digest as _, Sha256};

use super::object::{Dictionary, Object, Reader};

/// Width of each number of `/ByteRange`, so that they can be written once the file is whole.
const DIGITS: usize = 10;
pub(super) const FORMAT: &str = "ETSI.CAdES.detached";

/// A signature dictionary and what it covers.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub dictionary: Dictionary,
    /// Where the dictionary begins.
    pub start: usize,
    /// From `<` to `>`, both included.
    pub hole: Range<usize>,
    /// How long the file was when it was signed.
    pub end: usize,
}

/// What is wrong with how a signature lies in its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    #[error("its signature dictionary cannot be read")]
    Dictionary,
    #[error("its signature is of another kind than {FORMAT}")]
    Format,
    #[error("its signature does not cover the whole file but itself (ByteRange)")]
    Range,
    #[error("{0} bytes were added after it was signed")]
    Appended(usize),
    #[error("it was cut off after it was signed: {0} bytes are missing")]
    Cut(usize),
}

impl Span {
    /// The latest signature of `file`, which must cover all of it.
    pub(super) fn latest(file: &[u8]) -> Result<Option<Self>, SpanError> {
        let Some(span) = Self::before(file, file.len())? else { return Ok(None) };
        if span.end < file.len() {
            return Err(SpanError::Appended(file.len() - span.end));
        }
        Ok(Some(span))
    }

    /// The latest signature whose dictionary lies before `end`.
    pub(super) fn before(file: &[u8], end: usize) -> Result<Option<Self>, SpanError> {
        let Some(at) = memmem::rfind(&file[..end], b"/ByteRange") else { return Ok(None) };
        let start =
            memmem::rfind(&file[..at], b" obj").ok_or(SpanError::Dictionary)? + b" obj".len();
        let object = Reader::new(file, start).object().map_err(|_| SpanError::Dictionary)?;
        let Object::Dictionary(dictionary) = object else { return Err(SpanError::Dictionary) };
        if !dictionary.is_name("Type", "Sig") || !dictionary.is_name("SubFilter", FORMAT) {
            return Err(SpanError::Format);
        }
        let range = dictionary.get("ByteRange").and_then(Object::array).unwrap_or_default();
        let range: Vec<usize> = range.iter().filter_map(Object::whole).collect();
        let [0, open, close, rest] = range[..] else { return Err(SpanError::Range) };
        let end = close.checked_add(rest).ok_or(SpanError::Range)?;
        if end > file.len() {
            return Err(SpanError::Cut(end - file.len()));
        }
        // The hole is exactly the text of /Contents: nothing else hides in it.
        let hole = file.get(open..close).ok_or(SpanError::Range)?;
        let contents = Object::Token(hole.to_vec());
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_hex = matches!(hole, [b'<', digits @ .., b'>'] if digits.iter().all(is_digit));
        if !is_hex || start > open || dictionary.get("Contents") != Some(&contents) {
            return Err(SpanError::Range);
        }
        Ok(Some(Self { dictionary, start, hole: open..close, end }))
    }

    /// What lies before and behind the hole.
    pub(super) fn covered<'a>(&self, file: &'a [u8]) -> [&'a [u8]; 2] {
        [&file[..self.hole.start], &file[self.hole.end..self.end]]
    }

    pub(super) fn sha256(&self, file: &[u8]) -> [u8; 32] {
        let [before, after] = self.covered(file);
        Sha256::new().chain_update(before).chain_update(after).finalize().into()
    }

    /// What stands in the hole, with the zeros behind it.
    pub(super) fn content(&self, file: &[u8]) -> Result<Vec<u8>, SpanError> {
        let digits = &file[self.hole.start + 1..self.hole.end - 1];
        hex::decode(digits).map_err(|_| SpanError::Range)
    }

    /// Puts `content` into the hole; none where it does not fit.
    pub(super) fn fill(&self, file: &mut [u8], content: &[u8]) -> Option<()> {
        let digits = hex::encode(content).into_bytes();
        let room = file.get_mut(self.hole.start + 1..self.hole.end - 1)?;
        let (used, free) = room.split_at_mut_checked(digits.len())?;
        used.copy_from_slice(&digits);
        free.fill(b'0');
        Some(())
    }
}

/// `/ByteRange` before its numbers are known.
pub(super) fn unknown_range() -> Object {
    let blank = Object::raw("0".repeat(DIGITS));
    Object::Array(vec![Object::raw("0"), blank.clone(), blank.clone(), blank])
}

/// A hole for so many bytes.
pub(super) fn hole(bytes: usize) -> Object {
    Object::raw(format!("<{}>", "00".repeat(bytes)))
}

/// Writes the range of the signature whose dictionary begins at `start` and whose hole holds `bytes`.
pub(super) fn write_range(file: &mut [u8], start: usize, bytes: usize) -> Option<()> {
    let part = file.get(start..)?;
    let find = |word: &[u8]| memmem::find(part, word);
    let (range, contents) = (find(b"/ByteRange ")? + 11, find(b"/Contents ")? + 10);
    let open = start + contents;
    let close = open + 2 * bytes + 2;
    let numbers = [open, close, file.len().checked_sub(close)?];
    let numbers = numbers.map(|number| format!("{number:<DIGITS$}")).join(" ");
    let written = format!("[0 {numbers}]");
    file.get_mut(start + range..start + range + written.len())?.copy_from_slice(written.as_bytes());
    Some(())
}
