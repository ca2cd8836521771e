//! Vietnamese numbers in words, as documents and questions write them.

const ONES: [&str; 10] = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"];
/// Of groups of three digits, from the lowest; a billion of billions is beyond what is asked.
const GROUPS: [&str; 4] = ["", " nghìn", " triệu", " tỷ"];

/// `n` below 100 in words.
pub fn below_hundred(n: usize) -> String {
    let (tens, ones) = (n / 10 % 10, n % 10);
    let one = match (tens, ones) {
        (_, 0) if tens > 0 => "",
        (2.., 1) => "mốt",
        (1.., 5) => "lăm",
        _ => ONES[ones],
    };
    let ten = match tens {
        0 => String::new(),
        1 => "mười".into(),
        _ => format!("{} mươi", ONES[tens]),
    };
    format!("{ten} {one}").trim().to_owned()
}

/// Below a million of millions; behind other digits a group is read with its hundreds.
pub fn in_words(n: u64) -> String {
    let mut groups: Vec<usize> = Vec::new();
    let mut rest = n;
    while rest > 0 || groups.is_empty() {
        groups.push((rest % 1000) as usize);
        rest /= 1000;
    }
    let mut parts: Vec<String> = Vec::new();
    for (index, group) in groups.iter().enumerate().rev() {
        if *group > 0 || groups.len() == 1 {
            let unit = GROUPS.get(index).copied().unwrap_or(" tỷ tỷ");
            parts.push(format!("{}{unit}", hundreds(*group, !parts.is_empty())));
        }
    }
    parts.join(" ")
}

fn hundreds(n: usize, behind: bool) -> String {
    let (hundred, rest) = (n / 100, n % 100);
    match (hundred, rest) {
        (0, _) if !behind => below_hundred(rest),
        (_, 0) => format!("{} trăm", ONES[hundred]),
        (_, 1..10) => format!("{} trăm linh {}", ONES[hundred], ONES[rest]),
        _ => format!("{} trăm {}", ONES[hundred], below_hundred(rest)),
    }
}

/// `Mười chín triệu đồng`.
pub fn amount(vnd: i64) -> String {
    let words = format!("{} đồng", in_words(vnd.unsigned_abs()));
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_vietnamese_reads_them() {
        for (n, words) in [
            (0, "không"),
            (5, "năm"),
            (10, "mười"),
            (11, "mười một"),
            (15, "mười lăm"),
            (21, "hai mươi mốt"),
            (50, "năm mươi"),
            (64, "sáu mươi bốn"),
            (105, "một trăm linh năm"),
            (115, "một trăm mười lăm"),
            (200, "hai trăm"),
            (1_000, "một nghìn"),
            (1_005, "một nghìn không trăm linh năm"),
            (9_500, "chín nghìn năm trăm"),
            (300_000, "ba trăm nghìn"),
            (5_000_000, "năm triệu"),
            (19_000_000, "mười chín triệu"),
            (19_000_500, "mười chín triệu năm trăm"),
            (2_500_001, "hai triệu năm trăm nghìn không trăm linh một"),
            (1_050_000_000, "một tỷ không trăm năm mươi triệu"),
        ] {
            assert_eq!(in_words(n), words, "{n}");
        }
        assert_eq!(amount(19_000_000), "Mười chín triệu đồng");
    }
}
