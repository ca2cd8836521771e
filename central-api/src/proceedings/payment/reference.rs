//! The short code by which a payment finds its claim. A payer writes it in the purpose, a bank cuts,
//! capitalises and strips that text: so it is of few and unmistakable characters, begins with a mark
//! of its own, and its last character follows from the others.

use std::fmt;
use std::str::FromStr;

use rand::seq::IndexedRandom as _;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// Without I, O, U, 0 and 1; a prime number of them, so that the last one tells every exchange of two.
const ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKLMNPQRSTVWXYZ";
const MARK: &str = "XP";
const DRAWN: usize = 7;
const LENGTH: usize = MARK.len() + DRAWN + 1;
/// Of a code cut by the end of the purpose, this much must be left.
const SHORTEST: usize = MARK.len() + 5;
/// Characters of a purpose that are looked at.
const MOST: usize = 1000;

/// `XP` and eight characters, e.g. `XP7K3M9Q2W`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payment reference is {MARK} and eight characters of which the last is the check")]
pub struct BadReference;

impl Reference {
    /// A new one. That nobody has it yet is for the database to say.
    pub fn draw(random: &mut impl rand::Rng) -> Self {
        let drawn: String = (0..DRAWN)
            .filter_map(|_| ALPHABET.choose(random))
            .map(|byte| char::from(*byte))
            .collect();
        let check = check(drawn.bytes());
        Self(format!("{MARK}{drawn}{}", char::from(check)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The last character: a sum over the others, each with a weight of its own.
fn check(drawn: impl Iterator<Item = u8>) -> u8 {
    let value = |byte: u8| ALPHABET.iter().position(|other| *other == byte).unwrap_or(0);
    let sum: usize = drawn.zip(2..).map(|(byte, weight)| weight * value(byte)).sum();
    ALPHABET[sum % ALPHABET.len()]
}

impl FromStr for Reference {
    type Err = BadReference;

    fn from_str(text: &str) -> Result<Self, BadReference> {
        let drawn = text.strip_prefix(MARK).ok_or(BadReference)?.as_bytes();
        let is_whole = text.len() == LENGTH && drawn.iter().all(|byte| ALPHABET.contains(byte));
        match drawn.split_last() {
            Some((last, drawn)) if is_whole && *last == check(drawn.iter().copied()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(BadReference),
        }
    }
}

impl TryFrom<String> for Reference {
    type Error = BadReference;

    fn try_from(text: String) -> Result<Self, BadReference> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a text holds of references.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentioned {
    /// Whole ones, each once.
    pub whole: Vec<Reference>,
    /// The beginning of one that the end of the text cuts.
    pub cut: Option<String>,
}

/// Looks for references in the purpose of a payment, whatever became of its blanks, marks and case.
pub fn mentioned(purpose: &str) -> Mentioned {
    let text = plain(purpose);
    let mut found = Mentioned::default();
    let mut cuts = Vec::new();
    for (at, _) in text.match_indices(MARK) {
        let rest = &text[at..];
        match rest.get(..LENGTH) {
            Some(window) => found.whole.extend(window.parse::<Reference>().ok()),
            None => {
                let is_code = rest[MARK.len()..].bytes().all(|byte| ALPHABET.contains(&byte));
                cuts.extend((rest.len() >= SHORTEST && is_code).then(|| rest.to_owned()));
            }
        }
    }
    found.whole.sort();
    found.whole.dedup();
    found.cut = if cuts.len() == 1 { cuts.pop() } else { None };
    found
}

/// Capital letters and digits alone, without marks: `Nộp phạt XP-7k3m` → `NOPPHATXP7K3M`.
pub fn plain(text: &str) -> String {
    text.chars()
        .take(MOST)
        .nfd()
        .map(|c| if matches!(c, 'đ' | 'Đ') { 'D' } else { c.to_ascii_uppercase() })
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    fn drawn(seed: u64) -> Reference {
        Reference::draw(&mut StdRng::seed_from_u64(seed))
    }

    #[test]
    fn it_is_found_in_what_banks_make_of_a_purpose() {
        let code = drawn(1);
        let text = code.as_str();
        let (a, b) = text.split_at(5);
        for purpose in [
            text.to_owned(),
            format!("Nộp phạt theo QĐ 123/QĐ-XPHC {text} cảm ơn"),
            format!("MBVCB.7781.NOP PHAT {text}.CT tu 0011"),
            format!("nop phat {}-{} nguyen van a", a.to_lowercase(), b.to_lowercase()),
            format!("{text} {text}"),
            format!("NOPPHAT{text}NGUYENVANA"),
            a.chars().map(|c| format!("{c} ")).collect::<String>() + b,
        ] {
            assert_eq!(mentioned(&purpose).whole, std::slice::from_ref(&code), "{purpose}");
        }
        let two = format!("{text} {}", drawn(2));
        assert_eq!(mentioned(&two).whole.len(), 2);
        for purpose in ["", "Nộp phạt xử phạt vi phạm hành chính", "XP", "XPXPXPXPXP", "🚗 Đ đ"]
        {
            assert_eq!(mentioned(purpose).whole, [], "{purpose}");
        }
    }

    #[test]
    fn what_is_cut_off_is_kept_as_a_beginning() {
        let text = drawn(3).to_string();
        assert_eq!(mentioned(&format!("nop phat {}", &text[..8])).cut.as_deref(), Some(&text[..8]));
        assert_eq!(mentioned(&text[..6]).cut, None, "too little is left");
        assert_eq!(mentioned(&text).cut, None);
    }

    proptest! {
        #[test]
        fn one_wrong_or_two_exchanged_characters_are_noticed(
            seed: u64, at in 2_usize..10, other in 0_usize..31,
        ) {
            let code = drawn(seed).to_string();
            prop_assert!(code.parse::<Reference>().is_ok());
            let mut bytes = code.clone().into_bytes();
            bytes[at] = ALPHABET[other];
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(changed.parse::<Reference>().is_ok(), changed == code);
            if at < 9 {
                let mut bytes = code.clone().into_bytes();
                bytes.swap(at, at + 1);
                let swapped = String::from_utf8(bytes).unwrap();
                prop_assert_eq!(swapped.parse::<Reference>().is_ok(), swapped == code);
            }
        }

        #[test]
        fn no_purpose_is_too_much(purpose in "\\PC{0,200}") {
            mentioned(&purpose);
        }
    }
}
