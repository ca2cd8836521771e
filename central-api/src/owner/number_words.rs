//! Numbers under a hundred in words, for the captcha's question.

use crate::web::Lang;

const VI: [&str; 10] = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"];
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
        Lang::Vi => vietnamese(n),
        Lang::En => english(n),
    }
}

fn vietnamese(n: usize) -> String {
    let (tens, ones) = (n / 10, n % 10);
    let one = match (tens, ones) {
        (_, 0) if tens > 0 => "",
        (2.., 1) => "mốt",
        (1.., 5) => "lăm",
        _ => VI[ones],
    };
    let ten = match tens {
        0 => String::new(),
        1 => "mười".into(),
        _ => format!("{} mươi", VI[tens]),
    };
    format!("{ten} {one}").trim().to_owned()
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
    fn vietnamese_numbers_follow_their_rules() {
        for (n, text) in [
            (5, "năm"),
            (10, "mười"),
            (15, "mười lăm"),
            (11, "mười một"),
            (21, "hai mươi mốt"),
            (50, "năm mươi"),
            (64, "sáu mươi bốn"),
        ] {
            assert_eq!(in_words(n, Lang::Vi), text);
        }
        assert_eq!(in_words(42, Lang::En), "forty-two");
        assert_eq!(in_words(12, Lang::En), "twelve");
    }
}
