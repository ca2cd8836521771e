//! Text files that people write: UTF-8, with or without the byte order mark that some editors put
//! in front.

use std::io;
use std::path::Path;

/// The file's text without a byte order mark.
pub fn read(path: &Path) -> io::Result<String> {
    let bytes = std::fs::read(path)?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let problem = "is UTF-16: save it as UTF-8";
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidData, "is not UTF-8: save it as UTF-8")
    })?;
    Ok(without_mark(&text).to_owned())
}

/// The text without a byte order mark.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_no_part_of_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password.txt");
        let read_back = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path).map_err(|e| e.to_string())
        };
        assert_eq!(read_back("\u{feff}mật khẩu\r\n".as_bytes()).unwrap(), "mật khẩu\r\n");
        assert_eq!(read_back("mật khẩu".as_bytes()).unwrap(), "mật khẩu");
        assert!(read_back(b"\xff\xfem\0").unwrap_err().contains("UTF-16"));
        assert!(read_back(b"m\xff").unwrap_err().contains("UTF-8"));
    }
}
