//! How a record lies in a segment: a line of its digest's beginning, a blank, and its text. What a
//! power cut tore or a disk spoiled is told from what was written, and the line after it is read
//! again. Depends on nothing here: the fuzzer reads with it, too.

use std::io::{self, BufRead};

use contract::Digest;

/// Digits of the digest: no seal, only against accidents.
const DIGITS: usize = 12;
/// No record is as long.
pub const LONGEST: usize = 64 * 1024;

/// The text as a line of a segment; none where it is no line, or too long for one.
pub fn framed(text: &str) -> Option<Vec<u8>> {
    if text.contains('\n') || DIGITS + 1 + text.len() >= LONGEST {
        return None;
    }
    let mut line = Vec::with_capacity(DIGITS + 2 + text.len());
    line.extend_from_slice(&digits(text.as_bytes()));
    line.push(b' ');
    line.extend_from_slice(text.as_bytes());
    line.push(b'\n');
    Some(line)
}

fn digits(text: &[u8]) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    let hex = Digest::of(text).to_string();
    // Two hexadecimal digits a byte: there are always enough.
    digits.copy_from_slice(&hex.as_bytes()[..DIGITS]);
    digits
}

/// What a line of a segment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// As it was written.
    Whole(String),
    /// Torn or spoiled.
    Damaged,
    /// The segment ends within it: being written just now, or torn there.
    Unfinished,
}

/// The lines of a segment, one after another.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub const fn new(from: R) -> Self {
        Self { from, line: Vec::new() }
    }

    /// Reads up to the next line's end into `self.line`, which grows no longer than any record; says
    /// whether the end was found, none at the end of the segment.
    fn fill(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        let mut any = false;
        loop {
            let part = match self.from.fill_buf() {
                Ok(part) => part,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if part.is_empty() {
                return Ok(any.then_some(false));
            }
            any = true;
            let end = part.iter().position(|byte| *byte == b'\n');
            let taken = &part[..end.unwrap_or(part.len())];
            let room = (LONGEST + 1).saturating_sub(self.line.len());
            self.line.extend_from_slice(&taken[..taken.len().min(room)]);
            let used = taken.len() + usize::from(end.is_some());
            self.from.consume(used);
            if end.is_some() {
                return Ok(Some(true));
            }
        }
    }
}

fn opened(line: &[u8]) -> Option<String> {
    let (digest, rest) = line.split_at_checked(DIGITS)?;
    let text = rest.strip_prefix(b" ")?;
    let good = line.len() < LONGEST && digest == digits(text);
    good.then(|| String::from_utf8(text.to_vec()).ok()).flatten()
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Err(error) => Some(Err(error)),
            Ok(None) => None,
            Ok(Some(false)) => Some(Ok(Line::Unfinished)),
            Ok(Some(true)) => Some(Ok(opened(&self.line).map_or(Line::Damaged, Line::Whole))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Line> {
        // A small buffer: lines go over its edge.
        let lines = Lines::new(io::BufReader::with_capacity(7, bytes));
        lines.map(Result::unwrap).collect()
    }

    fn written(texts: &[&str]) -> Vec<u8> {
        texts.iter().flat_map(|text| framed(text).unwrap()).collect()
    }

    #[test]
    fn torn_at_any_byte_it_reads_up_to_the_tear() {
        let texts = ["{\"a\":1}", "", "{\"ngã\":\"tư\"}", "{}"];
        let whole = written(&texts);
        let ends: Vec<usize> =
            (1..=texts.len()).map(|count| written(&texts[..count]).len()).collect();
        for tear in 0..=whole.len() {
            let lines = read(&whole[..tear]);
            let complete = ends.iter().filter(|end| **end <= tear).count();
            let expected = texts[..complete].iter().map(|text| Line::Whole((*text).into()));
            let mut expected: Vec<Line> = expected.collect();
            if tear > 0 && !ends.contains(&tear) {
                expected.push(Line::Unfinished);
            }
            assert_eq!(lines, expected, "torn at {tear}");
            // A writer that goes on after the tear begins a new line.
            let mut mended = whole[..tear].to_vec();
            if mended.last().is_some_and(|byte| *byte != b'\n') {
                mended.push(b'\n');
            }
            mended.extend(framed("after").unwrap());
            assert_eq!(read(&mended).last(), Some(&Line::Whole("after".into())), "torn at {tear}");
        }
    }

    #[test]
    fn a_changed_bit_is_noticed_and_the_next_line_is_read() {
        let whole = written(&["{\"speed\":42}", "next"]);
        let first = framed("{\"speed\":42}").unwrap().len() - 1;
        for bit in 0..first * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let lines = read(&bytes);
            assert!(!lines.contains(&Line::Whole("{\"speed\":42}".into())), "bit {bit}");
            assert_eq!(lines.last(), Some(&Line::Whole("next".into())), "bit {bit}");
        }
    }

    #[test]
    fn what_has_no_end_is_not_kept_in_memory() {
        let mut lines = Lines::new(io::BufReader::new(io::Read::take(io::repeat(b'x'), 50 << 20)));
        assert_eq!(lines.next().unwrap().unwrap(), Line::Unfinished);
        assert!(lines.line.capacity() < 4 * LONGEST);
        assert_eq!(framed(&"x".repeat(LONGEST)), None);
        assert_eq!(framed("two\nlines"), None);
    }

    proptest! {
        #[test]
        fn any_texts_are_read_as_written(texts in prop::collection::vec("[^\n]{0,60}", 0..8)) {
            let bytes: Vec<u8> = texts.iter().flat_map(|text| framed(text).unwrap()).collect();
            let expected: Vec<Line> = texts.into_iter().map(Line::Whole).collect();
            prop_assert_eq!(read(&bytes), expected);
        }

        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let newlines = bytes.iter().filter(|byte| **byte == b'\n').count();
            let unfinished = bytes.last().is_some_and(|byte| *byte != b'\n');
            prop_assert_eq!(read(&bytes).len(), newlines + usize::from(unfinished));
        }
    }
}
