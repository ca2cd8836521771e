//! What a fine may be: the amount by circumstances (NĐ 68/2025/NĐ-CP Điều 9) and by who pays (Luật
//! XLVPHC Điều 23, 134; NĐ 168/2024 on organisations). The law leaves a range to whoever decides;
//! outside of it no decision is lawful.

use serde::{Deserialize, Serialize};

/// How many of each kind a decision finds (Luật XLVPHC Điều 9, 10). They cancel one for one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    pub mitigating: u32,
    pub aggravating: u32,
}

/// Who is fined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    Adult,
    /// From 16, under 18: half of an adult's fine, which is the most (Điều 134 khoản 3). Who is younger
    /// is warned, not fined.
    Minor,
    Organisation,
}

/// The amounts that a decision may name, VND, both ends included, and what stands in its draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub least: i64,
    pub most: i64,
    pub usual: i64,
}

impl Range {
    pub const fn holds(&self, amount: i64) -> bool {
        self.least <= amount && amount <= self.most
    }
}

/// Numbers of the procedure that amounts are made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Where in the bracket a fine without circumstances lies, 0 to 1.
    pub position: f64,
    pub organisation_factor: i64,
}

impl Scale {
    /// The fine without circumstances for a bracket.
    pub fn middle(&self, bracket: [i64; 2]) -> i64 {
        let width = (bracket[1] - bracket[0]) as f64;
        bracket[0] + (width * self.position).round() as i64
    }

    /// The amounts for a person's bracket.
    pub fn range(&self, bracket: [i64; 2], found: Circumstances, payer: Payer) -> Range {
        let factor = if payer == Payer::Organisation { self.organisation_factor } else { 1 };
        let [least, most] = bracket.map(|amount| amount * factor);
        let middle = self.middle([least, most]);
        let only = |amount| Range { least: amount, most: amount, usual: amount };
        // Strictly between two amounts; where nothing lies between, the one nearer the middle.
        let between = |low: i64, high: i64| match high - low {
            ..2 => only(middle),
            _ => Range { least: low + 1, most: high - 1, usual: low + (high - low) / 2 },
        };
        let range = match i64::from(found.mitigating) - i64::from(found.aggravating) {
            ..-1 => only(most),
            -1 => between(middle, most),
            0 => only(middle),
            1 => between(least, middle),
            2.. => only(least),
        };
        match payer {
            Payer::Minor => {
                Range { least: range.least / 2, most: range.most / 2, usual: range.usual / 2 }
            }
            Payer::Adult | Payer::Organisation => range,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCALE: Scale = Scale { position: 0.5, organisation_factor: 2 };

    fn found(mitigating: u32, aggravating: u32) -> Circumstances {
        Circumstances { mitigating, aggravating }
    }

    /// Red light by a car, 18 to 20 million: by hand.
    #[test]
    fn amounts_follow_the_circumstances() {
        let bracket = [18_000_000, 20_000_000];
        let range = |found, payer| {
            let Range { least, most, usual } = SCALE.range(bracket, found, payer);
            (least, most, usual)
        };
        let adult = |found| range(found, Payer::Adult);
        assert_eq!(adult(found(0, 0)), (19_000_000, 19_000_000, 19_000_000));
        assert_eq!(adult(found(2, 2)), adult(found(0, 0)), "they cancel one for one");
        assert_eq!(adult(found(1, 0)), (18_000_001, 18_999_999, 18_500_000));
        assert_eq!(adult(found(3, 2)), adult(found(1, 0)));
        assert_eq!(adult(found(2, 0)), (18_000_000, 18_000_000, 18_000_000));
        assert_eq!(adult(found(0, 1)), (19_000_001, 19_999_999, 19_500_000));
        assert_eq!(adult(found(0, 5)), (20_000_000, 20_000_000, 20_000_000));
        assert_eq!(range(found(0, 0), Payer::Organisation).2, 38_000_000);
        assert_eq!(range(found(2, 0), Payer::Organisation).2, 36_000_000);
        assert_eq!(range(found(0, 0), Payer::Minor), (9_500_000, 9_500_000, 9_500_000));
    }

    proptest! {
        #[test]
        fn no_amount_leaves_its_bracket_and_more_mitigation_never_costs_more(
            low in 1_i64..100_000_000, width in 0_i64..100_000_000,
            mitigating in 0_u32..4, aggravating in 0_u32..4, payer in 0_usize..3,
        ) {
            let bracket = [low, low + width];
            let payer = [Payer::Adult, Payer::Minor, Payer::Organisation][payer];
            let range = SCALE.range(bracket, found(mitigating, aggravating), payer);
            prop_assert!(range.holds(range.usual), "{range:?}");
            let most = bracket[1] * if payer == Payer::Organisation { 2 } else { 1 };
            prop_assert!(range.most <= most);
            if payer != Payer::Minor {
                prop_assert!(range.least >= low);
            }
            let milder = SCALE.range(bracket, found(mitigating + 1, aggravating), payer);
            prop_assert!(milder.most <= range.most && milder.usual <= range.usual);
        }
    }
}
