//! Amounts as people and banks write them.

use super::super::MOST;
use super::Wrong;

/// Whole VND of `5.000.000`, `5,000,000.00`, `-12 500` or `5000000`; what is wrong with it else.
pub(super) fn vnd(text: &str) -> Result<i64, Wrong> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    // What stands behind the last mark is a fraction where it has not three digits.
    let (whole, fraction) = match digits.rfind(['.', ',']) {
        Some(at) if digits.len() - at != 4 => (&digits[..at], Some(&digits[at..])),
        _ => (digits, None),
    };
    if let Some(fraction) = fraction {
        let mark = fraction.chars().next().unwrap_or_default();
        let zeros = &fraction[1..];
        let is_nothing = !zeros.is_empty() && zeros.len() <= 5 && zeros.bytes().all(|b| b == b'0');
        if !is_nothing || whole.contains(mark) {
            return Err(Wrong::Amount);
        }
    }
    let marks: Vec<char> = whole.chars().filter(|c| matches!(c, '.' | ',')).collect();
    let groups: Vec<&str> = whole.split(['.', ',']).collect();
    let one_mark = marks.windows(2).all(|pair| pair[0] == pair[1]);
    let grouped = groups.len() == 1
        || (one_mark
            && (1..=3).contains(&groups[0].len())
            && groups[1..].iter().all(|group| group.len() == 3));
    let plain = groups.concat();
    if !grouped || plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::Amount);
    }
    let amount = plain.parse::<i64>().ok().filter(|amount| *amount <= MOST);
    amount.map(|amount| sign * amount).ok_or(Wrong::Large)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_as_banks_write_them() {
        for (text, amount) in [
            ("5000000", 5_000_000),
            ("5.000.000", 5_000_000),
            ("5,000,000.00", 5_000_000),
            ("5.000.000,00", 5_000_000),
            ("+ 12 500", 12_500),
            ("-12.500", -12_500),
            ("5.000", 5_000),
            ("7.00000", 7),
            ("0", 0),
        ] {
            assert_eq!(vnd(text), Ok(amount), "{text}");
        }
        for text in [
            "",
            "-",
            "5.000,50",
            "5.0.0",
            "50.00.000",
            "1e9",
            "12a",
            "5,00.000",
            "5.000.000.00",
            "9999999999999999999999",
            "1000000000001",
            "--5",
            "5.",
            "١٢٣",
        ] {
            assert!(vnd(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn grouping_changes_nothing(amount in 0..=MOST) {
            let grouped = crate::web::format::amount(amount);
            prop_assert_eq!(vnd(&grouped), Ok(amount));
            prop_assert_eq!(vnd(&grouped.replace('.', ",")), Ok(amount));
            prop_assert_eq!(vnd(&format!("-{amount}.00")), Ok(-amount));
        }
    }
}
