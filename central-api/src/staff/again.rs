//! What judging again gave, in words.

use judge::basis::{Again, BasisError, Difference};

use crate::web::{Words, facts};

/// Whether the rules of this program say the same of what was sealed.
pub(super) fn again(again: &Result<Again, BasisError>, w: &Words) -> String {
    match again {
        Ok(Again::Same) => w.t("case.again_same").to_owned(),
        Ok(Again::Differs(what)) => {
            let what: Vec<_> = what.iter().map(|what| difference(what, w)).collect();
            format!("{}: {}", w.t("case.again_differs"), what.join("; "))
        }
        Err(error) => format!("{}: {error}", w.t("case.again_failed")),
    }
}

fn difference(difference: &Difference, w: &Words) -> String {
    let both = |found: &str, sealed: &str| {
        w.with("case.again_sealed", "found", found).replace("{sealed}", sealed)
    };
    match difference {
        Difference::Lawful(why) => w.named("lawful", why.name()),
        Difference::Doubt(why) => w.named("in_doubt", why.name()),
        Difference::Undecided => w.t("case.again_undecided").to_owned(),
        Difference::Facts { found, sealed } => {
            let (found, sealed) = (facts::lines(found, w), facts::lines(sealed, w));
            let line = |(key, value): &(&str, String)| format!("{} {value}", w.named("case", key));
            let lines = |some: &[(&'static str, String)], others: &[(&'static str, String)]| {
                let differing = some.iter().filter(|line| !others.contains(line)).map(line);
                differing.collect::<Vec<_>>().join(", ")
            };
            both(&lines(&found, &sealed), &lines(&sealed, &found))
        }
        Difference::Said { found, sealed, .. } => both(found, sealed),
    }
}
