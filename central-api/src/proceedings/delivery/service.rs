//! When a document counts as served (NĐ 118/2021 Điều 17a): by the first of its deliveries that the
//! law holds for service. Pure.

use time::{Date, OffsetDateTime};

use super::{Delivery, State, Way};
use crate::law::{LawBook, LawError, Term, VIETNAM};

/// The day of service. The two differ where the calendar is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    pub earliest: Date,
    /// From here on whoever it binds is held to it.
    pub on: Date,
    pub by: Way,
}

/// The day of service that follows from `deliveries`, in whatever order they come; it may lie ahead.
/// None while none of them serves.
pub fn served(deliveries: &[Delivery], book: &LawBook) -> Result<Option<Served>, LawError> {
    let mut first: Option<Served> = None;
    let mut unknown: Option<(Date, LawError)> = None;
    for (way, event, term) in events(deliveries, book.service_letters()) {
        let day = event.to_offset(VIETNAM).date();
        let found = match term {
            None => Served { earliest: day, on: day, by: way },
            Some(term) => match book.end(term, event) {
                Ok(end) => {
                    let [earliest, on] =
                        [end.earliest, end.latest].map(|at| at.to_offset(VIETNAM).date());
                    Served { earliest, on, by: way }
                }
                Err(error) => {
                    if unknown.as_ref().is_none_or(|(before, _)| day < *before) {
                        unknown = Some((day, error));
                    }
                    continue;
                }
            },
        };
        first = Some(match first {
            None => found,
            Some(first) => Served {
                earliest: first.earliest.min(found.earliest),
                on: first.on.min(found.on),
                by: if found.on < first.on { found.by } else { first.by },
            },
        });
    }
    match (unknown, first) {
        // A term that ends after its event's day cannot be the first where another has ended by then.
        (Some((day, error)), first) if first.is_none_or(|first| day < first.on) => Err(error),
        (_, first) => Ok(first),
    }
}

/// The day on which `before` had served a paper already when `more` came, which serves it no earlier.
pub(super) fn is_late(before: &[Delivery], more: &Delivery, book: &LawBook) -> Option<Date> {
    let on = |all: &[Delivery]| served(all, book).ok().flatten().map(|it| it.on);
    let day = more.ended_at.or(more.sent_at).map(|at| at.to_offset(VIETNAM).date());
    let first = on(before).filter(|first| day.is_none_or(|day| *first <= day))?;
    let all: Vec<_> = before.iter().chain([more]).cloned().collect();
    on(&all).is_none_or(|with| with >= first).then_some(first)
}

/// What may serve, with the term that runs from it; none where it serves at once.
fn events(
    deliveries: &[Delivery],
    letters: u32,
) -> impl Iterator<Item = (Way, OffsetDateTime, Option<Term>)> {
    let mut returned: Vec<_> = deliveries
        .iter()
        .filter(|it| it.way == Way::Post && it.state == State::Returned)
        .filter_map(|it| it.ended_at)
        .collect();
    returned.sort_unstable();
    let last = usize::try_from(letters).ok().and_then(|n| returned.get(n.checked_sub(1)?)).copied();
    let last = last.map(|at| (Way::Post, at, Some(Term::ServedReturned)));
    let alone = deliveries.iter().filter_map(|it| match (it.way, it.state) {
        (Way::Post | Way::Hand, State::Delivered) | (Way::Hand, State::Refused) => {
            Some((it.way, it.ended_at?, None))
        }
        (Way::Electronic, State::Sent) => Some((it.way, it.sent_at?, Some(Term::ServedElectronic))),
        (Way::Commune, State::Sent) => Some((it.way, it.sent_at?, Some(Term::ServedPosted))),
        _ => None,
    });
    alone.chain(last)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;
    use time::{Duration, Time};

    pub(in super::super) fn at(way: Way, state: State, day: Date) -> Delivery {
        let at = Some(day.with_time(Time::MIDNIGHT).assume_offset(VIETNAM) + Duration::hours(9));
        let ended = !matches!(state, State::Printing | State::Printed | State::Sent | State::Void);
        Delivery {
            id: String::new(),
            way,
            state,
            sent_at: at,
            ended_at: at.filter(|_| ended),
            batch_id: None,
            place: None,
            tracking: None,
            receiver: None,
            note: None,
        }
    }

    pub(in super::super) fn returned(days: &[Date]) -> Vec<Delivery> {
        days.iter().map(|day| at(Way::Post, State::Returned, *day)).collect()
    }

    /// A table made by hand, with the days counted on a wall calendar.
    #[test]
    fn each_way_serves_as_the_decree_says() {
        use State::{Delivered, Refused, Returned, Sent};
        let book = crate::law::book().unwrap();
        // 2026-11-23 is a Monday, Tuesday the 24th is off, the weekend is the 28th and 29th.
        let (mon, wed) = (date!(2026 - 11 - 23), date!(2026 - 11 - 25));
        for (deliveries, served_on) in [
            (vec![], None),
            (vec![at(Way::Post, Sent, mon)], None),
            (vec![at(Way::Post, Delivered, mon)], Some(mon)),
            (vec![at(Way::Hand, Delivered, mon)], Some(mon)),
            (vec![at(Way::Hand, Refused, mon)], Some(mon)),
            // A letter that nobody took is one that came back: no minutes were made.
            (vec![at(Way::Post, Refused, mon)], None),
            (returned(&[mon]), None),
            (returned(&[mon, wed]), None),
            // Three: 25, 26, 27 November from Monday; 26, 27, 30 from Wednesday.
            (returned(&[mon, mon, mon]), Some(date!(2026 - 11 - 27))),
            (returned(&[wed, mon, mon]), Some(date!(2026 - 11 - 30))),
            // A fourth changes nothing.
            (returned(&[mon, mon, mon, wed]), Some(date!(2026 - 11 - 27))),
            (vec![at(Way::Electronic, Sent, mon)], Some(date!(2026 - 11 - 27))),
            // Seven: 25, 26, 27, 30 November, 1, 2, 3 December.
            (vec![at(Way::Commune, Sent, mon)], Some(date!(2026 - 12 - 03))),
            (vec![at(Way::Commune, Sent, mon), at(Way::Hand, Delivered, wed)], Some(wed)),
            // Over Tết, 14 to 22 February 2026: 23, 24, 25 from Friday the 13th.
            (vec![at(Way::Electronic, Sent, date!(2026 - 02 - 13))], Some(date!(2026 - 02 - 25))),
            (vec![at(Way::Commune, Returned, mon), at(Way::Electronic, State::Void, mon)], None),
        ] {
            let found = served(&deliveries, &book).unwrap();
            assert_eq!(found.map(|it| it.on), served_on, "{deliveries:?}");
            assert_eq!(found.map(|it| it.earliest), served_on, "a settled calendar");
        }
    }

    #[test]
    fn an_unsettled_calendar_gives_both_ends_and_an_unknown_one_none() {
        let book = crate::law::book().unwrap();
        // Thursday 4 and Monday 8 to Thursday 11 February 2027 may be off, the 6th and 7th are.
        let tet = [at(Way::Electronic, State::Sent, date!(2027 - 02 - 03))];
        let found = served(&tet, &book).unwrap().unwrap();
        assert_eq!(found.earliest, date!(2027 - 02 - 08));
        assert!(found.on > date!(2027 - 02 - 11), "{found:?}");
        let late = at(Way::Commune, State::Sent, date!(2027 - 12 - 29));
        assert!(matches!(
            served(std::slice::from_ref(&late), &book),
            Err(LawError::UnknownYear { .. })
        ));
        // Handed over that day or before, nobody asks for the year that is not announced.
        let hand = |day| at(Way::Hand, State::Delivered, day);
        let found = served(&[late.clone(), hand(date!(2027 - 12 - 29))], &book).unwrap();
        assert_eq!(found.unwrap().by, Way::Hand);
        assert!(served(&[late, hand(date!(2027 - 12 - 31))], &book).is_err());
    }

    fn any_delivery() -> impl Strategy<Value = Delivery> {
        use State::{Delivered, Printed, Refused, Returned, Sent, Void};
        let way = prop::sample::select(vec![Way::Post, Way::Hand, Way::Electronic, Way::Commune]);
        let state = prop::sample::select(vec![Printed, Sent, Delivered, Returned, Refused, Void]);
        (way, state, 0_i64..600).prop_map(|(way, state, day)| {
            at(way, state, date!(2025 - 01 - 02).saturating_add(Duration::days(day)))
        })
    }

    proptest! {
        #[test]
        fn more_deliveries_never_serve_later_and_their_order_says_nothing(
            mut all in prop::collection::vec(any_delivery(), 0..8), more in any_delivery(),
        ) {
            let book = crate::law::book().unwrap();
            let before = served(&all, &book).unwrap();
            all.push(more);
            let after = served(&all, &book).unwrap();
            prop_assert!(before.is_none() || after.is_some_and(|it| it.on <= before.unwrap().on));
            all.reverse();
            prop_assert_eq!(served(&all, &book).unwrap().map(|it| it.on), after.map(|it| it.on));
            if let Some(found) = after {
                prop_assert!(found.earliest <= found.on);
                // Never before something happened.
                let day = |it: &Delivery| it.sent_at.map(|at| at.to_offset(VIETNAM).date());
                prop_assert!(all.iter().filter_map(day).any(|day| day <= found.earliest));
            }
        }

        #[test]
        fn fewer_letters_than_the_law_asks_for_serve_nobody(days in prop::collection::vec(0_i64..400, 0..3)) {
            let book = crate::law::book().unwrap();
            let day = |n: &i64| date!(2025 - 01 - 02).saturating_add(Duration::days(*n));
            let all = returned(&days.iter().map(day).collect::<Vec<_>>());
            prop_assert_eq!(served(&all, &book).unwrap(), None);
        }
    }
}
