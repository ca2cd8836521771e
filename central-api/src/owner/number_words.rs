//! Numbers under a hundred in words, for the captcha's question.

use crate::documents::numerals::below_hundred;
use crate::web::Lang;

const EN: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const EN_TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// `n` below 100 in words.
pub(super) fn in_words(n: u64, lang: Lang) -> String {
    let n = usize::try_from(n).unwrap_or(0) % 100;
    match lang {
        Lang::Vi => below_hundred(n),
        Lang::En => english(n),
    }
}

fn english(n: usize) -> String {
    match (n / 10, n % 10) {
        (0 | 1, _) => EN[n].into(),
        (tens, 0) => EN_TENS[tens].into(),
        (tens, ones) => format!("{}-{}", EN_TENS[tens], EN[ones]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_words_in_both_languages() {
        assert_eq!(in_words(21, Lang::Vi), "hai mươi mốt");
        assert_eq!(in_words(42, Lang::En), "forty-two");
        assert_eq!(in_words(12, Lang::En), "twelve");
    }
}
