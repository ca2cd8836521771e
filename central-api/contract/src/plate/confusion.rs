//! Which characters readers take for each other.

/// The digits that a letter is often read for.
pub(super) const fn digits(letter: u8) -> &'static [u8] {
    match letter {
        b'O' | b'Q' | b'D' => b"0",
        b'I' | b'J' | b'L' => b"1",
        b'Z' => b"2",
        b'A' => b"4",
        b'S' => b"5",
        b'G' => b"6",
        b'T' => b"7",
        b'B' => b"8",
        _ => b"",
    }
}

/// The letters that a digit is often read for.
pub(super) const fn letters(digit: u8) -> &'static [u8] {
    match digit {
        b'0' => b"D",
        b'1' => b"LT",
        b'2' => b"Z",
        b'3' => b"B",
        b'4' => b"A",
        b'5' => b"S",
        b'6' => b"G",
        b'7' => b"T",
        b'8' => b"B",
        _ => b"",
    }
}
