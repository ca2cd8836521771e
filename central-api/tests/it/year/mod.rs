//! A year of a unit's cases, day by day on a simulated clock, to every end that a case can have. What a
//! case should come to was worked out by hand from the law (the tables beside this file); what must
//! hold of all of them together is asked once the last limitation is over.
//!
//! `YEAR_CASES=2000 cargo test -p central-api --test it year::` plays as many.

mod books;
mod held;
mod life;
mod seeded;
mod seen;
mod unit;

use std::collections::BTreeMap;

use central_api::law::VIETNAM;
use time::macros::{date, datetime, time};
use time::{Duration, OffsetDateTime};

use crate::support::Database;
use life::{Life, Step};
use unit::Unit;

/// The acts are of the year from here; the clock stops once the last of them is barred.
const BEGIN: OffsetDateTime = datetime!(2025-12-01 06:00 +7);
const NIGHTS: i64 = 732;
/// Cases in all where nothing else is asked for.
const CASES: usize = 240;
const SEED: u64 = 20_251_201;

/// What happens when; of one moment in this order.
#[derive(Debug, Clone)]
enum Event {
    Seen,
    Night,
    Step(Step),
    Post,
}

#[tokio::test]
async fn a_year_ends_as_it_was_worked_out_by_hand() {
    let asked = std::env::var("YEAR_CASES").ok().and_then(|text| text.parse().ok());
    let mut lives = life::tables();
    let more = asked.unwrap_or(CASES).saturating_sub(lives.len());
    lives.extend(seeded::lives(SEED, more, &lives));
    play(Database::sqlite(), &lives).await;
}

#[tokio::test]
async fn the_tables_alone_on_postgres() {
    match Database::postgres().await {
        Some(database) => play(database, &life::tables()).await,
        None => println!("skipped: SKIP_POSTGRES is set"),
    }
}

async fn play(database: Database, lives: &[Life]) {
    let mut unit = Unit::begun(database, BEGIN, lives).await;
    let mut cases = vec![String::new(); lives.len()];
    let mut wrong = Vec::new();
    let mut sequence = 0;
    for ((at, ..), (n, event)) in calendar(lives) {
        unit.until(at);
        match event {
            Event::Seen => {
                sequence += 1;
                cases[n] = unit.seen(sequence, n, &lives[n]).await;
            }
            Event::Night => {
                unit.received().await;
                unit.work().await;
            }
            Event::Post => unit.post().await,
            Event::Step(step) => {
                let done = unit.step(&lives[n], &cases[n], &step).await;
                let told = format!("{:?}: {} on {}", lives[n].what, step.verb, step.day);
                match (done, step.refused) {
                    (Ok(()), true) => wrong.push(format!("{told} was not refused")),
                    (Err(why), false) => wrong.push(format!("{told} was refused: {why}")),
                    _ => {}
                }
            }
        }
    }
    for (life, case) in lives.iter().zip(&cases) {
        held::against(&unit.setting, life, case, &mut wrong).await;
    }
    let ends = lives.iter().fold(BTreeMap::<_, u32>::new(), |mut ends, life| {
        *ends.entry(life.end.as_str()).or_default() += 1;
        ends
    });
    println!("{} cases: {ends:?}", lives.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    books::balanced(&unit.setting).await;
}

/// Everything that happens, in order.
fn calendar(lives: &[Life]) -> BTreeMap<(OffsetDateTime, u8, usize), (usize, Event)> {
    let mut all = BTreeMap::new();
    let mut put = |at, rank, n, event| {
        let mut turn = n * 100;
        while all.contains_key(&(at, rank, turn)) {
            turn += 1;
        }
        all.insert((at, rank, turn), (n, event));
    };
    for night in 0..NIGHTS {
        let day = BEGIN.date() + Duration::days(night);
        put(day.with_time(time!(00:15)).assume_offset(VIETNAM), 1, 0, Event::Night);
        put(day.with_time(time!(16:00)).assume_offset(VIETNAM), 3, 0, Event::Post);
    }
    for (n, life) in lives.iter().enumerate() {
        put(life.acted() + Duration::minutes(3), 0, n, Event::Seen);
        for (turn, step) in life.steps().into_iter().enumerate() {
            let at = step.day.with_time(time!(09:00)).assume_offset(VIETNAM);
            // Whoever comes later in the day comes after what was seen that morning.
            put(at + Duration::hours(3) + Duration::minutes(turn as i64), 2, n, Event::Step(step));
        }
    }
    all
}

#[test]
fn the_tables_are_of_the_year_and_reach_every_end() {
    let lives = life::tables();
    assert!(lives.len() >= 60, "{}", lives.len());
    for life in &lives {
        let day = life.acted().date();
        assert!((date!(2025 - 12 - 01)..date!(2026 - 12 - 01)).contains(&day), "{}", life.what);
        let steps = life.steps();
        assert!(steps.is_sorted_by_key(|step| step.day), "{}: out of order", life.what);
        assert!(steps.iter().all(|step| step.day >= day), "{}: before the act", life.what);
    }
    for end in [
        "rejected",
        "withdrawn",
        "expired",
        "notified issued settled",
        "notified issued open",
        "expired annulled cancelled",
        "withdrawn annulled cancelled",
    ] {
        assert!(lives.iter().any(|life| life.end == end), "no life ends {end}");
    }
}
