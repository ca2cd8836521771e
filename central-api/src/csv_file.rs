//! CSV files as offices write and read them: UTF-8 with or without its mark, comma or semicolon, a
//! header whose names are found however they are written.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Why a file's header cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the file is no CSV in UTF-8: {0}")]
    Csv(#[from] csv::Error),
    #[error("the header lacks {}", .0.join(", "))]
    Columns(Vec<String>),
}

/// A reader, and where in its records each of `columns` stands. A column is given by its names, with
/// `|` between them, and what it holds.
pub fn open<'a, const N: usize>(
    bytes: &'a [u8],
    columns: &[(&str, &str); N],
) -> Result<(csv::Reader<&'a [u8]>, [usize; N]), OpenError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if header.contains(&0) || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let problem = "it is UTF-16: save it as CSV in UTF-8";
        let problem = std::io::Error::new(std::io::ErrorKind::InvalidData, problem);
        return Err(OpenError::Csv(problem.into()));
    }
    let delimiter = [b';', b'\t'].into_iter().find(|it| header.contains(it)).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(bytes);
    let header: Vec<_> = reader.headers()?.iter().map(plain).collect();
    let place = |names: &str| {
        names.split('|').find_map(|name| header.iter().position(|found| found == name))
    };
    let lacking = columns.iter().filter(|(names, _)| place(names).is_none());
    let lacking: Vec<_> = lacking
        .map(|(names, what)| format!("{} ({what})", names.split('|').next().unwrap_or_default()))
        .collect();
    if !lacking.is_empty() {
        return Err(OpenError::Columns(lacking));
    }
    Ok((reader, columns.map(|(names, _)| place(names).unwrap_or_default())))
}

/// Where in a reader's records columns stand that a file may have.
pub fn optional<const N: usize>(
    reader: &mut csv::Reader<&[u8]>,
    columns: [&str; N],
) -> Result<[Option<usize>; N], csv::Error> {
    let header: Vec<_> = reader.headers()?.iter().map(plain).collect();
    Ok(columns.map(|name| header.iter().position(|found| found == name)))
}

/// The line of a file on which a record begins. The reader's own count is one short where lines end as
/// offices end them.
pub fn line(bytes: &[u8], position: Option<&csv::Position>) -> usize {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let at = position.map_or(0, |it| usize::try_from(it.byte()).unwrap_or(usize::MAX));
    let (before, rest) = bytes.split_at(at.min(bytes.len()));
    let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let newline = |byte: &&u8| **byte == b'\n';
    1 + before.iter().filter(newline).count() + ends.filter(newline).count()
}

/// `Số hiệu bưu gửi` as `so_hieu_buu_gui`.
pub fn plain(text: &str) -> String {
    let letters = text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let letters: String = letters
        .map(|c| if c == 'đ' { 'd' } else { c })
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    letters.split_whitespace().collect::<Vec<_>>().join("_")
}

/// Writes what programs of offices open with its letters whole: with the mark, lines ended as there.
pub fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec())
}

/// The bytes of a file.
pub fn finish(writer: csv::Writer<Vec<u8>>) -> Vec<u8> {
    // Only a writer to somewhere else than memory fails.
    writer.into_inner().unwrap_or_default()
}

/// A field that no table program takes for a formula.
pub fn harmless(field: String) -> String {
    match field.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{field}"),
        _ => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_however_they_are_written() {
        let columns = [("so_hieu|ma_van_don", "number"), ("ngay_phat", "day")];
        for text in [
            "Số hiệu,x,Ngày phát\r\n1,2,3\r\n",
            "\u{feff}NGÀY PHÁT;MÃ VẬN ĐƠN\r\n3;1\r\n",
            "ngay_phat\tso_hieu\n3\t1\n",
        ] {
            let (mut reader, [number, day]) = open(text.as_bytes(), &columns).unwrap();
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!((&record[number], &record[day]), ("1", "3"), "{text}");
        }
        let told = open("ngay_phat\n".as_bytes(), &columns).unwrap_err().to_string();
        assert_eq!(told, "the header lacks so_hieu (number)");
        let utf16: Vec<u8> =
            "so_hieu,ngay_phat".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(open(&utf16, &columns).is_err());
    }

    #[test]
    fn lines_are_counted_however_they_end() {
        for end in ["\n", "\r\n"] {
            let text = ["\u{feff}so_hieu,ngay_phat", "1,2", "", "3,4", ""].join(end);
            let columns = [("so_hieu", ""), ("ngay_phat", "")];
            let (mut reader, _) = open(text.as_bytes(), &columns).unwrap();
            let lines: Vec<_> = reader
                .records()
                .map(|record| line(text.as_bytes(), record.unwrap().position()))
                .collect();
            assert_eq!(lines, [2, 4], "{end:?}");
        }
    }

    #[test]
    fn what_is_written_opens_as_text() {
        let mut csv = writer();
        csv.write_record(["Đường Mẫu, số 1", &harmless("=1+1".into())]).unwrap();
        assert_eq!(finish(csv), "\u{feff}\"Đường Mẫu, số 1\",'=1+1\r\n".as_bytes());
    }
}
