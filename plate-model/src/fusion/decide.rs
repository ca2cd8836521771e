//! From averaged characters to a number, or a reason for none.
//!
//! The grammar first judges the most probable characters as they are. Only where they are no number
//! are characters exchanged, only uncertain ones, and only for what the reader itself held likely.
//! The confidence of a character is its share among those that would also make a number there: a
//! `0` cannot be an `O` where only digits stand, but it can be an `8`.

use contract::plate::{Candidate, Parsed, PlateNumber, Sight, parse, repair};

use super::{Doubt, Thresholds};
use crate::detect::best;
use crate::reader::{ALPHABET, BLANK, POSITIONS, SYMBOLS, channel};

/// Characters exchanged at most.
const MOST_REPAIRS: u32 = 2;
/// What the reader must have held for a character that the grammar puts in.
const LEAST_LIKELY: f32 = 0.05;
/// Rarer alternatives are not worth a look.
const NEGLIGIBLE: f32 = 1e-3;

type Distributions = [[f32; SYMBOLS]; POSITIONS];

/// The weakest of the most probable characters, the end of the text included.
pub(super) fn weakest_of(average: &Distributions, length: usize) -> f32 {
    let characters = average[..length].iter().map(|p| best(&p[..BLANK]).1);
    let end = average.get(length).map(|p| p[BLANK]);
    characters.chain(end).fold(1.0, f32::min)
}

pub(super) fn decide(
    average: &Distributions,
    length: usize,
    sight: &Sight,
    thresholds: &Thresholds,
) -> Result<(PlateNumber, f32), Doubt> {
    let read: Vec<(usize, f32)> = average[..length].iter().map(|p| best(&p[..BLANK])).collect();
    let raw: String = read.iter().map(|(symbol, _)| char::from(ALPHABET[*symbol])).collect();
    let plate = match parse(&raw, sight) {
        Parsed::One(plate) => plate,
        Parsed::Ambiguous(plates) => {
            return Err(Doubt::Ambiguous(plates.iter().map(PlateNumber::class).collect()));
        }
        Parsed::None => repaired(average, &raw, &read, sight, thresholds)?,
    };
    // A number may be written in another order than it is read (a long diplomatic plate): then
    // positions do not correspond and the characters as read carry the confidence.
    let seen = plate.as_seen();
    let text = if is_aligned(&seen, &raw) { &seen } else { &raw };
    let confidence = confidence(average, text, sight, thresholds)?;
    Ok((plate, confidence))
}

/// Whether the number, as it is seen, is the text with at most a few characters exchanged in place.
fn is_aligned(seen: &str, raw: &str) -> bool {
    seen.len() == raw.len() && differing(seen, raw).count() <= MOST_REPAIRS as usize
}

fn differing<'a>(text: &'a str, raw: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.bytes().zip(raw.bytes()).enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| i)
}

/// The number that the reader's own second thoughts make most likely.
fn repaired(
    average: &Distributions,
    raw: &str,
    read: &[(usize, f32)],
    sight: &Sight,
    thresholds: &Thresholds,
) -> Result<PlateNumber, Doubt> {
    let confident: Vec<bool> = read.iter().map(|(_, p)| *p >= thresholds.confident).collect();
    let possible = |candidate: &Candidate| {
        let text = &candidate.plate.as_seen();
        candidate.cost <= MOST_REPAIRS
            && text.len() == raw.len()
            && differing(text, raw).count() == candidate.cost as usize
            && differing(text, raw).all(|i| {
                let held = channel(char::from(text.as_bytes()[i])).map(|s| average[i][s]);
                !confident[i] && held.is_some_and(|p| p >= LEAST_LIKELY)
            })
    };
    let mut candidates: Vec<(f32, PlateNumber)> = repair(raw, sight, &confident)
        .into_iter()
        .filter(possible)
        .map(|candidate| (likelihood(average, &candidate.plate.as_seen()), candidate.plate))
        .collect();
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut candidates = candidates.into_iter();
    let (likely, plate) = candidates.next().ok_or(Doubt::NoPlate)?;
    match candidates.next() {
        None => Ok(plate),
        Some((_, other)) if other.as_seen() == plate.as_seen() => {
            Err(Doubt::Ambiguous(vec![plate.class(), other.class()]))
        }
        Some((second, other)) if second >= thresholds.tie * likely => {
            let (first, second) = (plate.as_seen(), other.as_seen());
            let at = differing(&first, &second).next().unwrap_or(0);
            let letter = |seen: &str| char::from(seen.as_bytes()[at]);
            Err(Doubt::Tie { position: at + 1, first: letter(&first), second: letter(&second) })
        }
        Some(_) => Ok(plate),
    }
}

fn likelihood(average: &Distributions, text: &str) -> f32 {
    let held = |(i, c): (usize, char)| channel(c).map_or(0.0, |symbol| average[i][symbol]);
    text.chars().enumerate().map(held).product()
}

/// The least certain position of an accepted text, or what makes it uncertain.
fn confidence(
    average: &Distributions,
    text: &str,
    sight: &Sight,
    thresholds: &Thresholds,
) -> Result<f32, Doubt> {
    let mut weakest = 1.0f32;
    let mut doubt = None;
    for (i, character) in text.chars().enumerate() {
        let distribution = &average[i];
        let held = channel(character).map_or(0.0, |symbol| distribution[symbol]);
        let mut rivals = distribution[BLANK];
        let mut nearest = (' ', 0.0);
        for (symbol, p) in distribution[..BLANK].iter().enumerate() {
            let other = char::from(ALPHABET[symbol]);
            if *p < NEGLIGIBLE || other == character {
                continue;
            }
            let exchanged: String =
                text.chars().enumerate().map(|(k, c)| if k == i { other } else { c }).collect();
            if parse(&exchanged, sight) != Parsed::None {
                rivals += p;
                if *p > nearest.1 {
                    nearest = (other, *p);
                }
            }
        }
        let share = held / (held + rivals).max(f32::MIN_POSITIVE);
        if share < weakest {
            weakest = share;
            doubt = Some(if nearest.1 >= thresholds.tie * held {
                Doubt::Tie { position: i + 1, first: character, second: nearest.0 }
            } else {
                Doubt::Weak { position: i + 1, confidence: share }
            });
        }
    }
    if let Some(end) = average.get(text.len())
        && end[BLANK] < weakest
    {
        weakest = end[BLANK];
        doubt = Some(Doubt::Weak { position: text.len() + 1, confidence: weakest });
    }
    match doubt {
        Some(doubt) if weakest < thresholds.accept => Err(doubt),
        _ => Ok(weakest),
    }
}
