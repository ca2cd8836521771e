//! Which characters readers take for each other.

/// The digits that a letter is often read for.
pub(super) const fn digits(letter: char) -> &'static [u8] {
    match letter {
        'O' | 'Q' | 'D' | 'Đ' => b"0",
        'I' | 'J' | 'L' => b"1",
        'Z' => b"2",
        'A' => b"4",
        'S' => b"5",
        'G' => b"6",
        'T' => b"7",
        'B' => b"8",
        _ => b"",
    }
}

/// The letters that a digit is often read for.
pub(super) const fn letters(digit: char) -> &'static [u8] {
    match digit {
        '0' => b"D",
        '1' => b"LT",
        '2' => b"Z",
        '3' => b"B",
        '4' => b"A",
        '5' => b"S",
        '6' => b"G",
        '7' => b"T",
        '8' => b"B",
        _ => b"",
    }
}
