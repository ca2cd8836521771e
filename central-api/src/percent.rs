//! Percent-encoding: what stands in addresses as it is, and what does not.

/// `bytes` with everything but letters, digits, `-`, `_`, `.` and the `kept` bytes encoded.
pub fn encode(bytes: &[u8], kept: &[u8]) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b) || kept.contains(&b);
    bytes
        .iter()
        .map(|&b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_characters_stay() {
        assert_eq!(encode("29-MĐ 1/2%".as_bytes(), b""), "29-M%C4%90%201%2F2%25");
        assert_eq!(encode(b"/ho-so/a b?", b"/"), "/ho-so/a%20b%3F");
    }
}
