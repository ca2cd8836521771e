//! A PDF file as its cross-reference tables say it is (ISO 32000-1, 7.5), and what is added to it:
//! an update lies behind the file, of which no byte changes. Files with cross-reference streams are
//! refused: what prints here writes tables.

use std::collections::BTreeMap;

use contract::Digest;
use memchr::memmem;

use super::object::{Dictionary, Object, Reader, Unreadable};

/// Updates of one file that are followed.
const MOST_SECTIONS: usize = 64;
/// Objects of one file.
const MOST_OBJECTS: usize = 1_000_000;
/// The last words of a file stand within so many bytes of its end.
const TAIL: usize = 1024;

/// Why a file cannot be read as a PDF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("it has no startxref: it is no PDF, or cut off")]
    NoEnd,
    #[error("its cross-reference table at byte {0} cannot be read (streams are not supported)")]
    Table(usize),
    #[error("it is encrypted")]
    Encrypted,
    #[error("its object {0} is missing or broken")]
    Object(u32),
    #[error("it lacks {0}")]
    Lacks(&'static str),
}

#[derive(Debug)]
pub(super) struct File<'a> {
    bytes: &'a [u8],
    /// Where objects begin.
    objects: BTreeMap<u32, usize>,
    trailer: Dictionary,
    /// Where the latest table begins.
    table: usize,
}

impl<'a> File<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, FileError> {
        let tail = bytes.len().saturating_sub(TAIL);
        let word = memmem::rfind(&bytes[tail..], b"startxref").ok_or(FileError::NoEnd)?;
        let mut reader = Reader::new(bytes, tail + word + b"startxref".len());
        let table = reader.whole().ok_or(FileError::NoEnd)?;
        let mut objects = BTreeMap::new();
        let mut next = Some(table);
        let mut latest = None;
        let mut sections = 0;
        while let Some(at) = next {
            sections += 1;
            let trailer = section(bytes, at, &mut objects)
                .filter(|_| sections <= MOST_SECTIONS)
                .ok_or(FileError::Table(at))?;
            // Earlier sections lie before later ones: nothing goes in a circle.
            next = match trailer.get("Prev").map(Object::whole) {
                None => None,
                Some(previous) => Some(previous.filter(|p| *p < at).ok_or(FileError::Table(at))?),
            };
            latest.get_or_insert(trailer);
        }
        let trailer = latest.ok_or(FileError::NoEnd)?;
        if trailer.get("Encrypt").is_some() {
            return Err(FileError::Encrypted);
        }
        let objects = objects.into_iter().filter_map(|(id, at)| Some((id, at?))).collect();
        Ok(Self { bytes, objects, trailer, table })
    }

    pub(super) fn object(&self, id: u32) -> Result<Object, FileError> {
        Ok(self.opened(id)?.0)
    }

    /// The object, and its data where it is a stream.
    pub(super) fn opened(&self, id: u32) -> Result<(Object, Option<&'a [u8]>), FileError> {
        let broken = || FileError::Object(id);
        let at = self.objects.get(&id).ok_or_else(broken)?;
        let mut reader = Reader::new(self.bytes, *at);
        if reader.whole() != usize::try_from(id).ok()
            || reader.whole().is_none()
            || !reader.word("obj")
        {
            return Err(broken());
        }
        let object = reader.object().map_err(|Unreadable(_)| broken())?;
        if !reader.word("stream") {
            return Ok((object, None));
        }
        let length = object.dictionary().and_then(|d| d.get("Length")).and_then(Object::whole);
        let start = reader.at
            + match self.bytes.get(reader.at..) {
                Some([b'\r', b'\n', ..]) => 2,
                Some([b'\n', ..]) => 1,
                _ => return Err(broken()),
            };
        let data = length.and_then(|length| self.bytes.get(start..start.checked_add(length)?));
        Ok((object, Some(data.ok_or_else(broken)?)))
    }

    pub(super) fn dictionary(&self, id: u32) -> Result<Dictionary, FileError> {
        match self.object(id)? {
            Object::Dictionary(dictionary) => Ok(dictionary),
            _ => Err(FileError::Object(id)),
        }
    }

    /// What `object` is or refers to.
    pub(super) fn resolved(&self, object: &Object) -> Result<Object, FileError> {
        match object.reference() {
            Some(id) => self.object(id),
            None => Ok(object.clone()),
        }
    }

    pub(super) fn catalog(&self) -> Result<(u32, Dictionary), FileError> {
        let root = self.trailer.get("Root").and_then(Object::reference);
        let id = root.ok_or(FileError::Lacks("a catalog"))?;
        Ok((id, self.dictionary(id)?))
    }

    /// The first page; documents have no pages in further levels where this prints.
    pub(super) fn first_page(&self) -> Result<u32, FileError> {
        const LEVELS: usize = 16;
        let lacks = || FileError::Lacks("a page");
        let (_, catalog) = self.catalog()?;
        let mut id = catalog.get("Pages").and_then(Object::reference).ok_or_else(lacks)?;
        for _ in 0..LEVELS {
            let node = self.dictionary(id)?;
            if node.is_name("Type", "Page") {
                return Ok(id);
            }
            let kids = node.get("Kids").and_then(Object::array).and_then(<[_]>::first);
            id = kids.and_then(Object::reference).ok_or_else(lacks)?;
        }
        Err(lacks())
    }
}

/// One table and its trailer; what later sections said of an object counts. A deleted object is none.
fn section(
    bytes: &[u8],
    at: usize,
    objects: &mut BTreeMap<u32, Option<usize>>,
) -> Option<Dictionary> {
    let mut reader = Reader::new(bytes, at);
    if !reader.word("xref") {
        return None;
    }
    while !reader.word("trailer") {
        let (first, count) = (reader.whole()?, reader.whole()?);
        if first.checked_add(count)? > MOST_OBJECTS {
            return None;
        }
        for id in first..first + count {
            let offset = reader.whole()?;
            reader.whole()?;
            let is_used = reader.word("n");
            if !is_used && !reader.word("f") {
                return None;
            }
            let id = u32::try_from(id).ok()?;
            objects.entry(id).or_insert(is_used.then_some(offset));
        }
    }
    match reader.object().ok()? {
        // Of a hybrid file, half the objects stand in a stream.
        Object::Dictionary(trailer) if trailer.get("XRefStm").is_none() => Some(trailer),
        _ => None,
    }
}

/// What will lie behind a file.
#[derive(Debug)]
pub(super) struct Update<'a> {
    file: &'a File<'a>,
    out: Vec<u8>,
    written: BTreeMap<u32, usize>,
    next: u32,
}

impl<'a> Update<'a> {
    pub(super) fn of(file: &'a File<'a>) -> Result<Self, FileError> {
        let size = file.trailer.get("Size").and_then(Object::whole);
        let next =
            size.and_then(|size| u32::try_from(size).ok()).ok_or(FileError::Lacks("a size"))?;
        let mut out = file.bytes.to_vec();
        if out.last() != Some(&b'\n') {
            out.push(b'\n');
        }
        Ok(Self { file, out, written: BTreeMap::new(), next })
    }

    /// A number that no object has.
    pub(super) fn number(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    /// Writes an object, new or instead of the one that had the number; returns where its value begins.
    pub(super) fn write(&mut self, id: u32, value: &Object) -> usize {
        self.begin(id);
        let start = self.out.len();
        value.write(&mut self.out);
        self.out.extend_from_slice(b"\nendobj\n");
        start
    }

    pub(super) fn write_stream(&mut self, id: u32, mut dictionary: Dictionary, data: &[u8]) {
        dictionary.set("Length", Object::raw(data.len()));
        self.begin(id);
        dictionary.write(&mut self.out);
        self.out.extend_from_slice(b"\nstream\n");
        self.out.extend_from_slice(data);
        self.out.extend_from_slice(b"\nendstream\nendobj\n");
    }

    fn begin(&mut self, id: u32) {
        self.written.insert(id, self.out.len());
        self.out.extend_from_slice(format!("{id} 0 obj\n").as_bytes());
    }

    /// The file with its update.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let mut trailer = Dictionary::default();
        trailer.set("Size", Object::raw(self.next));
        for key in ["Root", "Info"] {
            if let Some(value) = self.file.trailer.get(key) {
                trailer.set(key, value.clone());
            }
        }
        trailer.set("Prev", Object::raw(self.file.table));
        if let Some([first, _]) = self.file.trailer.get("ID").and_then(Object::array) {
            let digest = Digest::of(&self.out).to_string();
            let second = Object::raw(format!("<{}>", digest.get(..32).unwrap_or_default()));
            trailer.set("ID", Object::Array(vec![first.clone(), second]));
        }
        let table = self.out.len();
        self.out.extend_from_slice(b"xref\n");
        // One section an object is as right as few long ones.
        for (id, at) in &self.written {
            self.out.extend_from_slice(format!("{id} 1\n{at:010} 00000 n \n").as_bytes());
        }
        self.out.extend_from_slice(b"trailer\n");
        trailer.write(&mut self.out);
        self.out.extend_from_slice(format!("\nstartxref\n{table}\n%%EOF\n").as_bytes());
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: &str = "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
        2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
        3 0 obj\n<< /Type /Page /Parent 2 0 R >>\nendobj\n\
        xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000058 00000 n \n0000000115 00000 n \n\
        trailer\n<< /Size 4 /Root 1 0 R /ID [(a) (b)] >>\nstartxref\n162\n%%EOF";

    #[test]
    fn what_is_added_lies_behind_and_counts() {
        let file = File::open(SMALL.as_bytes()).unwrap();
        assert_eq!(file.first_page().unwrap(), 3);
        let mut update = Update::of(&file).unwrap();
        assert_eq!(update.number(), 4);
        update.write(3, &Object::Dictionary(Dictionary::of([("Type", Object::name("Page"))])));
        update.write_stream(4, Dictionary::default(), b"data");
        let out = update.finish();
        assert!(out.starts_with(SMALL.as_bytes()));
        let again = File::open(&out).unwrap();
        assert_eq!(again.dictionary(3).unwrap().get("Parent"), None);
        assert_eq!(again.opened(4).unwrap().1, Some(&b"data"[..]));
        assert_eq!(again.first_page().unwrap(), 3);
    }

    #[test]
    fn what_is_no_plain_pdf_is_refused_by_name() {
        let refused = |text: &str| File::open(text.as_bytes()).unwrap_err();
        assert_eq!(refused("no PDF"), FileError::NoEnd);
        let stream = "%PDF-1.5\n1 0 obj\n<< /Type /XRef >>\nstream\nx\nendstream\nendobj\nstartxref\n9\n%%EOF";
        assert_eq!(refused(stream), FileError::Table(9));
        let circle = SMALL.replace("/Size 4", "/Size 4 /Prev 162");
        assert_eq!(refused(&circle), FileError::Table(162));
        let encrypted = SMALL.replace("/Size 4", "/Size 4 /Encrypt 3 0 R");
        assert_eq!(refused(&encrypted), FileError::Encrypted);
        let hybrid = SMALL.replace("/Size 4", "/Size 4 /XRefStm 9");
        assert_eq!(refused(&hybrid), FileError::Table(162));
        let elsewhere = SMALL.replace("0000000115", "0000000058");
        let file = File::open(elsewhere.as_bytes()).unwrap();
        assert_eq!(file.first_page(), Err(FileError::Object(3)));
    }

    proptest! {
        #[test]
        fn nothing_that_is_read_panics(at in 0..SMALL.len(), byte in any::<u8>(), cut in 0..SMALL.len()) {
            let mut bytes = SMALL.as_bytes().to_vec();
            bytes[at] = byte;
            for bytes in [&bytes[..], &bytes[..cut], &bytes[cut..]] {
                if let Ok(file) = File::open(bytes) {
                    let _ = file.first_page();
                    let _ = Update::of(&file).map(Update::finish);
                }
            }
        }
    }
}
