//! More lives than anybody works out by hand: acts of the tables on other days, by a seed, each by one of
//! the plots below. What they cost follows from the tables' brackets; terms are the tables' business.

use central_api::law::{self, Calendar, Day};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use time::macros::date;
use time::{Date, Duration};

use super::life::{Amount, Life, Money};

/// How a case may go, and how often.
const PLOTS: [(&str, u32); 13] = [
    ("in time", 30),
    ("late", 10),
    ("twice", 3),
    ("no show", 8),
    ("unpaid", 6),
    ("organisation", 6),
    ("minor", 4),
    ("rejected", 12),
    ("withdrawn", 4),
    ("annulled", 3),
    ("unreviewed", 4),
    ("notified alone", 6),
    ("by explanation", 4),
];

/// `count` lives by `seed`, of the acts of `known`.
pub fn lives(seed: u64, count: usize, known: &[Life]) -> Vec<Life> {
    let mut random = StdRng::seed_from_u64(seed);
    let known: Vec<_> = known.iter().filter(|life| life.law.is_some()).collect();
    let book = law::book().unwrap();
    (0..count)
        .map(|n| {
            let like = known[random.random_range(0..known.len())];
            let day = date!(2025 - 12 - 01) + Duration::days(random.random_range(0..365));
            one(n, like, day, book.calendar(), &mut random)
        })
        .collect()
}

fn one(n: usize, like: &Life, day: Date, calendar: &Calendar, random: &mut StdRng) -> Life {
    let all: u32 = PLOTS.iter().map(|(_, weight)| weight).sum();
    let mut at = random.random_range(0..all);
    let plot = PLOTS.iter().find(|(_, weight)| match at.checked_sub(*weight) {
        Some(left) => {
            at = left;
            false
        }
        None => true,
    });
    let plot = plot.unwrap().0;
    let mut law = like.law.clone().unwrap();
    law.decree = if day >= date!(2026 - 08 - 15) { "168+238" } else { "168" }.into();
    let mut life = Life {
        what: format!("{n} of the seed, {plot}"),
        act: like.act.clone(),
        vehicle: like.vehicle.clone(),
        at: format!("{day} {:02}:{:02}", random.random_range(6..9), random.random_range(0..60)),
        speed: like.speed,
        law: Some(law.clone()),
        ..Life::default()
    };
    // Days of the unit, one after another.
    let mut next = day;
    let mut on = |gap: i64| {
        next += Duration::days(gap);
        while !matches!(calendar.day(next), Ok(Day::Working)) {
            next += Duration::DAY;
        }
        next
    };
    let [mut amount, mut points] = [(law.fine[0] + law.fine[1]) / 2, i64::from(law.points)];
    let mut says = |text: String| life.steps.push(text);
    if plot == "unreviewed" {
        life.end = "expired".into();
        return life;
    }
    let review = on(1);
    if plot == "rejected" {
        says(format!("reject {review} poor_evidence"));
        life.end = "rejected".into();
        return life;
    }
    says(format!("accept {review}"));
    let notified = on(1);
    says(format!("approve {notified}"));
    match plot {
        "withdrawn" => {
            says(format!("withdraw {} wrong_vehicle", on(3)));
            says(format!("agree {}", on(1)));
            life.cleared = Some("withdrawn".into());
            life.end = "withdrawn".into();
            return life;
        }
        "notified alone" => {
            life.cleared = Some("expired".into());
            life.warned.no_show = warned(calendar, notified, 20);
            life.end = "expired".into();
            return life;
        }
        _ => {}
    }
    let mut flags = " waives";
    match plot {
        "organisation" => {
            life.payer = Some("organisation".into());
            [amount, points] = [amount * 2, 0];
        }
        "minor" => {
            life.payer = Some("minor".into());
            flags = " waives born=2009-11-30";
            amount /= 2;
        }
        "no show" => {
            life.warned.no_show = warned(calendar, notified, 20);
            flags = " waives";
        }
        "by explanation" => flags = "",
        _ => {}
    }
    let wait = if plot == "no show" { 30 } else { random.random_range(3..10) };
    says(format!("minutes {}{flags}", on(wait)));
    if plot == "by explanation" {
        says(format!("explain {} written", on(1)));
    }
    says(format!("propose {}", on(1)));
    let signed = on(1);
    says(format!("sign {signed}"));
    life.decision = Some(Amount { amount, points: u32::try_from(points).unwrap() });
    life.end = "notified issued settled".into();
    life.cleared = Some("paid".into());
    let due = moved(calendar, signed + Duration::days(12));
    life.money.paid = amount;
    match plot {
        "late" => {
            let late = random.random_range(3..60);
            life.money.surcharge = amount * (late - 1) / 2000;
            life.money.paid += life.money.surcharge;
            life.warned.unpaid = Some((due + Duration::DAY).to_string());
            let paid = due + Duration::days(late);
            says(format!("pay {paid} {}", life.money.paid));
        }
        "unpaid" => {
            life.warned.unpaid = Some((due + Duration::DAY).to_string());
            life.money = Money::default();
            life.cleared = Some("came".into());
            life.end = "notified issued open".into();
        }
        "annulled" => {
            says(format!("annul {}", on(1)));
            says(format!("confirm {}", on(1)));
            life.money = Money::default();
            life.cleared = Some("settled".into());
            life.end = "expired annulled cancelled".into();
        }
        "twice" => {
            let day = on(2);
            says(format!("pay {day} {amount}"));
            says(format!("pay {day} {amount}"));
            says(format!("refund {}", on(1)));
            life.money = Money { paid: 2 * amount, surcharge: 0, refunded: amount };
        }
        _ => says(format!("pay {} {amount}", signed + Duration::days(random.random_range(1..12)))),
    }
    life
}

/// The day on which is warned of what began on `from`.
fn warned(calendar: &Calendar, from: Date, days: i64) -> Option<String> {
    Some((moved(calendar, from + Duration::days(days)) + Duration::DAY).to_string())
}

/// A term's last day: a day that is not certainly worked moves it on.
fn moved(calendar: &Calendar, mut day: Date) -> Date {
    while !matches!(calendar.day(day), Ok(Day::Working)) {
        day += Duration::DAY;
    }
    day
}
