//! One spelling for every way of writing a number: A–Z, Đ and 0–9 only.

/// Upper bound on a normalised number, in characters. The longest valid one has 10 characters, so cutting here
/// never turns an invalid text into a valid number.
pub const MAX_CHARS: usize = 16;

/// Upper case, diacritics off, everything but A–Z, 0–9 and Đ dropped. Đ is a letter of its own:
/// 29-MĐ 567.89 and 29-MD 567.89 are two numbers.
///
/// Composed and decomposed spellings give the same text, as do full-width forms. Letters of other
/// scripts are dropped, not guessed, even where they look alike.
pub fn normalise(text: &str) -> String {
    marks(text).map(|mark| mark.char).take(MAX_CHARS).collect()
}

/// A letter or digit of a written number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub char: char,
    /// Whether something stands between the one before and this: a dash, a dot, a space, a line's end.
    pub apart: bool,
}

/// Whether `text` holds a letter or digit that no plate has, of another script, say.
pub(super) fn has_foreign(text: &str) -> bool {
    text.chars().any(|c| c.is_alphanumeric() && fold(c).is_none())
}

/// The letters and digits of `text` as [`normalise`] spells them.
pub(super) fn marks(text: &str) -> impl Iterator<Item = Mark> {
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        let mut apart = false;
        loop {
            let c = rest.next()?;
            let Some(mut char) = fold(c) else {
                apart |= !is_combining(c);
                continue;
            };
            // A D with a combining stroke is a Đ in two parts; other marks may stand between them.
            while let Some(mark) = rest.next_if(|c| is_combining(*c)) {
                if char == 'D' && is_stroke(mark) {
                    char = 'Đ';
                }
            }
            return Some(Mark { char, apart });
        }
    })
}

/// Đ and the two letters that look and are typed like it (Icelandic eth, African D).
const fn is_stroked_d(c: char) -> bool {
    matches!(c, 'Đ' | 'đ' | 'Ð' | 'ð' | 'Ɖ' | 'ɖ')
}

/// Combining strokes, short and long.
const fn is_stroke(c: char) -> bool {
    matches!(c, '\u{335}' | '\u{336}')
}

/// What belongs to the letter before it: accents, and signs that nobody sees.
const fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

/// The plain letter or digit that `c` stands for; combining marks and everything else give none.
fn fold(c: char) -> Option<char> {
    let plain = match c {
        'A'..='Z' | '0'..='9' => c,
        'a'..='z' => c.to_ascii_uppercase(),
        _ if is_stroked_d(c) => 'Đ',
        'À'..='Å' | 'à'..='å' | 'Ă' | 'ă' | '\u{1EA0}'..='\u{1EB7}' => 'A',
        'È'..='Ë' | 'è'..='ë' | '\u{1EB8}'..='\u{1EC7}' => 'E',
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ' | 'ĩ' | '\u{1EC8}'..='\u{1ECB}' => 'I',
        'Ò'..='Ö' | 'ò'..='ö' | 'Ơ' | 'ơ' | '\u{1ECC}'..='\u{1EE3}' => 'O',
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ' | 'ũ' | 'Ư' | 'ư' | '\u{1EE4}'..='\u{1EF1}' => 'U',
        'Ý' | 'ý' | 'ÿ' | '\u{1EF2}'..='\u{1EF9}' => 'Y',
        '\u{FF10}'..='\u{FF19}' => shift(c, '\u{FF10}', b'0'),
        '\u{FF21}'..='\u{FF3A}' => shift(c, '\u{FF21}', b'A'),
        '\u{FF41}'..='\u{FF5A}' => shift(c, '\u{FF41}', b'A'),
        _ => return None,
    };
    Some(plain)
}

/// `c` counted from `first`, as the character that far from `base`. Callers keep it within 26.
fn shift(c: char, first: char, base: u8) -> char {
    let steps = u32::from(c).saturating_sub(u32::from(first)).min(25);
    char::from(base.saturating_add(steps as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_gives_one_text() {
        for text in
            ["30F-256.58", "30f 25658", " 30F\n256.58 ", "３０Ｆ－２５６．５８", "30ｆ25658"]
        {
            assert_eq!(normalise(text), "30F25658", "{text}");
        }
    }

    #[test]
    fn stroked_d_and_diacritics_composed_or_not() {
        for text in ["29-MĐ1 123.45", "29-mđ1 123.45", "29-MD\u{335}1 123.45", "29-MÐ1 123.45"] {
            assert_eq!(normalise(text), "29MĐ112345", "{text}");
        }
        assert_eq!(normalise("29-MD1 123.45"), "29MD112345", "another letter");
        assert_eq!(normalise("D\u{323}\u{335}"), "Đ", "a dot below may stand between");
        assert_eq!(normalise("ÂẶÊỆÔỢƯỰỸ"), "AAEEOOUUY");
        assert_eq!(normalise("A\u{302}A\u{323}\u{306}e\u{302}o\u{31B}\u{323}"), "AAEO");
    }

    #[test]
    fn look_alikes_of_other_scripts_are_dropped() {
        assert_eq!(normalise("3О\u{412}А12ß"), "312"); // Cyrillic О, В and А
    }

    #[test]
    fn length_is_bounded() {
        assert_eq!(normalise(&"9".repeat(100_000)).len(), MAX_CHARS);
        assert_eq!(normalise(&"Đ".repeat(100_000)).chars().count(), MAX_CHARS);
    }
}
