//! The drill of the acts: every act and its look-alikes on ways without pixels, seen as our detector
//! and tracker see, thousands of times. What is true is what the vehicle really did; what is counted
//! is whom the rules accuse. Each accusation comes with what it stood on, as an agent seals it
//! ([`Caught`]).

mod average;
mod junction;
mod luck;
mod places;
mod plates;
mod scene;
mod sight;
mod speed;
mod stretch;
mod ways;

use std::collections::BTreeSet;

use anyhow::Result;
use judge::Verdict;
use judge::rules::average_speed;
use serde::Serialize;

use self::luck::Luck;
use self::scene::Case;

pub use self::sight::Caught;

/// Least share of the violations found, and most lawful ones accused, as a share.
pub const RECALL: f64 = 0.97;
pub const WRONG: f64 = 1e-4;

/// One way to do an act, or to look like it.
#[derive(Clone, Copy)]
pub struct Class {
    pub act: &'static str,
    pub name: &'static str,
    pub violates: bool,
    make: fn(&mut Luck) -> Case,
}

impl Class {
    /// The act of the law: it knows none of its own for the average speed.
    pub fn charged_as(&self) -> &'static str {
        if self.act == average_speed::KIND.act { average_speed::CHARGED_AS } else { self.act }
    }
}

impl std::fmt::Debug for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.act, self.name)
    }
}

const fn violation(act: &'static str, name: &'static str, make: fn(&mut Luck) -> Case) -> Class {
    Class { act, name, violates: true, make }
}

const fn lawful(act: &'static str, name: &'static str, make: fn(&mut Luck) -> Case) -> Class {
    Class { act, name, violates: false, make }
}

/// Every class, an act's beside one another.
pub fn classes() -> Vec<Class> {
    [junction::CLASSES, stretch::CLASSES, places::CLASSES, speed::CLASSES, average::CLASSES]
        .concat()
}

/// How each act is done, those that the law only names otherwise in other places and the candidates
/// among them.
pub fn violations() -> Vec<Class> {
    let mut all = [classes(), places::ELSEWHERE.to_vec(), vec![plates::HIDDEN]].concat();
    all.retain(|class| class.violates);
    all
}

/// The acts, in the order of their classes.
pub fn acts(classes: &[Class]) -> Vec<&'static str> {
    let mut known = BTreeSet::new();
    classes.iter().map(|class| class.act).filter(|act| known.insert(*act)).collect()
}

/// What came of one class.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub act: &'static str,
    pub class: &'static str,
    pub violates: bool,
    pub tried: u64,
    pub accused: u64,
    /// Seeds of the answers that are wrong, and what was said.
    #[serde(skip)]
    pub faults: Vec<(u64, String)>,
}

/// Tries `tries` of a class, on two threads.
pub fn drill(class: &Class, tries: u64, seed: u64, fps: Option<u64>) -> Result<Row> {
    let part = |first: u64| -> Result<(u64, Vec<(u64, String)>)> {
        let (mut accused, mut faults) = (0, Vec::new());
        for n in (first..tries).step_by(2) {
            let told = try_at(class, seed + n, fps)?;
            accused += u64::from(told.is_ok());
            if told.is_ok() != class.violates {
                let said = told.map_or_else(|said| format!("{said:?}"), |it| it.finding.reason);
                faults.push((seed + n, said));
            }
        }
        Ok((accused, faults))
    };
    let (one, other) = std::thread::scope(|scope| {
        let running = scope.spawn(|| part(0));
        let other = part(1);
        (running.join(), other)
    });
    let one = one.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let (accused, mut faults) = other?;
    faults.extend(one.1);
    faults.sort_unstable();
    let (act, name, violates) = (class.act, class.name, class.violates);
    Ok(Row { act, class: name, violates, tried: tries, accused: accused + one.0, faults })
}

/// The accusation of the vehicle of one seed; else what was said of its tracks.
pub fn try_one(class: &Class, seed: u64) -> Result<Result<Caught, Vec<Verdict>>> {
    try_at(class, seed, None)
}

/// The same, looked at so many times a second, or as often as its rule needs where that is more.
fn try_at(class: &Class, seed: u64, fps: Option<u64>) -> Result<Result<Caught, Vec<Verdict>>> {
    let name = format!("{class:?}");
    let mixed = name
        .bytes()
        .fold(seed, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(byte)));
    let mut luck = Luck(mixed);
    let mut case = (class.make)(&mut luck);
    case.sight.fps = fps.unwrap_or(case.sight.fps);
    sight::caught(&case, class.charged_as(), &mut luck)
}

/// One act over all its classes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Sum {
    pub violations: u64,
    pub found: u64,
    pub lawful: u64,
    pub wrong: u64,
}

impl Sum {
    pub fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        rows.fold(Self::default(), |mut sum, row| {
            if row.violates {
                sum.violations += row.tried;
                sum.found += row.accused;
            } else {
                sum.lawful += row.tried;
                sum.wrong += row.accused;
            }
            sum
        })
    }

    pub fn recall(&self) -> f64 {
        self.found as f64 / self.violations.max(1) as f64
    }

    /// With 95 % certainty no more are accused wrongly than this share: none in n leaves 3 in n.
    pub fn at_most(&self) -> f64 {
        let wrong = self.wrong as f64;
        // The upper end of Poisson's interval, near enough; 3 for none.
        let upper = if self.wrong == 0 { 3.0 } else { wrong + 1.65 * (wrong + 0.5).sqrt() + 1.4 };
        upper / self.lawful.max(1) as f64
    }

    pub fn holds(&self) -> bool {
        self.recall() >= RECALL && self.wrong as f64 <= WRONG * self.lawful as f64
    }
}

/// Every act with violations and look-alikes in equal parts over its classes; `done` is told each
/// row.
pub fn run(
    only: Option<&str>,
    violations: u64,
    lawful: u64,
    seed: u64,
    fps: Option<u64>,
    mut done: impl FnMut(&Row),
) -> Result<Vec<Row>> {
    let mut classes = classes();
    classes.retain(|class| only.is_none_or(|act| act == class.act));
    let mut rows = Vec::new();
    for class in &classes {
        let like = classes.iter().filter(|it| (it.act, it.violates) == (class.act, class.violates));
        let tries = if class.violates { violations } else { lawful };
        let row = drill(class, tries.div_ceil(like.count() as u64), seed, fps)?;
        done(&row);
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short form of `make acts`: too few to tell a share, enough to show a rule that breaks.
    #[test]
    fn acts_are_found_and_look_alikes_left_alone() {
        let rows = run(None, 100, 300, 1, None, |_| {}).unwrap();
        let classes = classes();
        assert!(classes.iter().filter(|class| !class.violates).count() >= 40);
        for act in acts(&classes) {
            let sum = Sum::of(rows.iter().filter(|row| row.act == act));
            assert!(sum.recall() >= 0.9 && sum.wrong <= 1, "{act}: {sum:?}");
        }
    }

    /// As slow as a site file may set it, no camera accuses wrongly, and finds most all the same.
    #[test]
    fn at_the_least_rate_of_a_rule_it_still_finds_and_wrongs_nobody() {
        let rows = run(None, 60, 150, 1, Some(0), |_| {}).unwrap();
        for act in acts(&classes()) {
            let sum = Sum::of(rows.iter().filter(|row| row.act == act));
            assert!(sum.recall() >= 0.8 && sum.wrong == 0, "{act}: {sum:?}");
        }
    }

    #[test]
    fn every_violation_is_caught_under_its_own_act_and_judged_again_from_what_it_stood_on() {
        for class in violations() {
            let caught: Vec<Caught> =
                (1..=10).filter_map(|seed| try_one(&class, seed).unwrap().ok()).collect();
            assert!(caught.len() >= 7, "{class:?}: {}", caught.len());
            for caught in caught {
                assert_eq!(caught.finding.act.name(), class.charged_as());
                let basis = judge::basis::Basis::parse(&caught.basis).unwrap();
                let again = judge::Verdict::from(caught.finding);
                assert_eq!(basis.verdict().unwrap(), again, "{class:?}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_rows() {
        let rows = || run(Some("wrong_way"), 20, 20, 7, None, |_| {}).unwrap();
        let told = |row: Row| (row.class, row.accused, row.faults);
        assert!(rows().into_iter().map(told).eq(rows().into_iter().map(told)));
    }
}
