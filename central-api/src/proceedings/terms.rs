//! What is due when over all cases: every term that runs, the most urgent first. Nothing is kept of it:
//! each kind is a list in the order of what began its terms, the law says when each ends, and as what
//! begins later ends no earlier, the lists merge into one that is read from any place on.

use time::{Date, Duration, OffsetDateTime};

use super::delivery::{self, Paper, Progress};
use super::warning::{self, Cause};
use crate::case::{self, State};
use crate::law::{End, LawBook, Term, VIETNAM};
use crate::store::{Store, StoreError, from_ms, to_ms};

/// How long before its end a limitation is listed.
const LIMITATION_AHEAD: Duration = Duration::days(60);
/// Days of which one is the first whose term ends from a moment on.
const SEARCHED: i64 = 4000;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The notice is to be issued.
    Notice,
    /// An issued paper is to be sent.
    Send(Paper),
    /// A letter that came back is to be sent again.
    SendAgain,
    /// A decision that was sent reached nobody yet, as far as is known: no term runs.
    Unserved,
    /// Whom a notice was sent to is to come; then somebody is warned.
    NoShow,
    /// A decision is to be paid; then somebody is warned.
    Pay,
    /// The limitation is about to pass.
    Limitation,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Notice,
        Self::Send(Paper::Notice),
        Self::Send(Paper::Decision),
        Self::Send(Paper::Annulment),
        Self::Send(Paper::Points),
        Self::SendAgain,
        Self::Unserved,
        Self::NoShow,
        Self::Pay,
        Self::Limitation,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Send(Paper::Notice) => "send",
            Self::Send(Paper::Decision) => "send_decision",
            Self::Send(Paper::Annulment) => "send_annulment",
            Self::Send(Paper::Points) => "send_points",
            Self::SendAgain => "send_again",
            Self::Unserved => "unserved",
            Self::NoShow => "no_show",
            Self::Pay => "pay",
            Self::Limitation => "limitation",
        }
    }

    pub fn term(self, book: &LawBook) -> Term {
        match self {
            Self::Notice => Term::Notice,
            // Of what the law sends nowhere nothing waits.
            Self::Send(paper) => book.sent_within(paper.name()).unwrap_or(Term::DecisionSent),
            Self::SendAgain => Term::SendAgain,
            Self::Unserved => Term::PostAnswer,
            Self::NoShow => Cause::NoShow.term(),
            Self::Pay => Cause::Unpaid.term(),
            Self::Limitation => Term::Limitation,
        }
    }

    /// Whether the term binds whom the case is about, who is held to its latest end; the others bind
    /// this house.
    pub const fn binds_owner(self) -> bool {
        matches!(self, Self::NoShow | Self::Pay)
    }
}

/// One running term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub kind: Kind,
    pub case_id: String,
    pub began: OffsetDateTime,
    /// None where the calendar does not reach so far.
    pub end: Option<End>,
}

/// A place in the list: what was shown last there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    due: i64,
    began: i64,
    case_id: String,
    kind: Kind,
}

impl Place {
    /// As a link carries it.
    pub fn text(&self) -> String {
        format!("{}.{}.{}.{}", self.due, self.began, self.kind.name(), self.case_id)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '.');
        let (due, began) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let (kind, case_id) = (parts.next()?, parts.next()?);
        let kind = Kind::ALL.into_iter().find(|it| it.name() == kind)?;
        let good = case_id.len() <= 64 && case_id.bytes().all(|b| b.is_ascii_graphic());
        good.then(|| Self { due, began, case_id: case_id.into(), kind })
    }
}

/// A stretch of the list, and where it goes on.
#[derive(Debug, Clone)]
pub struct Terms {
    pub rows: Vec<Due>,
    pub next: Option<Place>,
}

/// At most `size` running terms of `kinds`, the most urgent first, from behind `after` on.
pub async fn list(
    store: &Store,
    book: &LawBook,
    kinds: &[Kind],
    after: Option<&Place>,
    size: usize,
    now: OffsetDateTime,
) -> Result<Terms, StoreError> {
    let most = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let mut found = Vec::new();
    for kind in kinds {
        let from = after.map_or((i64::MIN, String::new()), |after| begin(book, *kind, after, now));
        for source in sources(*kind) {
            let place = (from.0, from.1.as_str());
            for (began, case_id) in source.read(store, place, most).await? {
                let began_at = from_ms(began)?;
                let end = book.end(kind.term(book), began_at).ok();
                let due = due(book, *kind, began_at, end);
                let place = Place { due, began, case_id: case_id.clone(), kind: *kind };
                if after.is_some_and(|after| place <= *after) || too_far(*kind, end, now) {
                    continue;
                }
                found.push((place, Due { kind: *kind, case_id, began: began_at, end }));
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|(place, _)| place.clone());
    Ok(Terms { rows: found.into_iter().map(|(_, due)| due).collect(), next })
}

/// What the list is ordered by. Where the calendar does not say when a term ends, it is long over, or
/// comes last.
fn due(book: &LawBook, kind: Kind, began: OffsetDateTime, end: Option<End>) -> i64 {
    match end {
        Some(end) => to_ms(if kind.binds_owner() { end.latest } else { end.earliest }),
        None if began.to_offset(VIETNAM).year() < book.calendar().first_year() => i64::MIN,
        None => i64::MAX,
    }
}

fn too_far(kind: Kind, end: Option<End>, now: OffsetDateTime) -> bool {
    kind == Kind::Limitation && end.is_none_or(|end| end.earliest > now + LIMITATION_AHEAD)
}

/// From where on in the order of beginnings a kind's terms may come behind `after`.
fn begin(book: &LawBook, kind: Kind, after: &Place, now: OffsetDateTime) -> (i64, String) {
    let first = |bound: i64| {
        let day = first_day(book, kind, bound, now);
        day.map_or(i64::MAX, |day| to_ms(day.midnight().assume_offset(VIETNAM)))
    };
    let (same, later) = (first(after.due), first(after.due.saturating_add(1)));
    if after.due < i64::MAX && after.began >= later {
        (later, String::new())
    } else if after.began >= same {
        (after.began, after.case_id.clone())
    } else {
        (same, String::new())
    }
}

/// The first day whose terms end at `bound` or later.
fn first_day(book: &LawBook, kind: Kind, bound: i64, now: OffsetDateTime) -> Option<Date> {
    let today = now.to_offset(VIETNAM).date();
    let day = |n: i64| today.saturating_add(Duration::days(n));
    let reaches = |n: i64| {
        let began = day(n).midnight().assume_offset(VIETNAM);
        due(book, kind, began, book.end(kind.term(book), began).ok()) >= bound
    };
    let (mut low, mut high) = (-SEARCHED, SEARCHED);
    if !reaches(high) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if reaches(middle) { high = middle } else { low = middle + 1 }
    }
    Some(day(low))
}

/// A list in the order of what began its terms.
#[derive(Debug, Clone, Copy)]
enum Source {
    Cases(State),
    Papers(Paper, Progress),
    Warnings(Cause),
}

fn sources(kind: Kind) -> Vec<Source> {
    match kind {
        Kind::Notice => State::BEFORE_NOTICE.map(Source::Cases).into(),
        // What is held is not sent either.
        Kind::Send(paper) => {
            [Progress::Waiting, Progress::Held].map(|it| Source::Papers(paper, it)).into()
        }
        Kind::SendAgain => Paper::ALL.map(|it| Source::Papers(it, Progress::Again)).into(),
        Kind::Unserved => vec![Source::Papers(Paper::Decision, Progress::OnWay)],
        Kind::NoShow => vec![Source::Warnings(Cause::NoShow)],
        Kind::Pay => vec![Source::Warnings(Cause::Unpaid)],
        Kind::Limitation => State::BARRABLE.map(Source::Cases).into(),
    }
}

impl Source {
    async fn read(
        self,
        store: &Store,
        from: (i64, &str),
        most: i64,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        Ok(match self {
            Self::Cases(state) => case::in_state(store, state, from, most).await?,
            Self::Papers(paper, progress) => delivery::list(store, paper, progress, from, most)
                .await?
                .into_iter()
                .map(|it| (to_ms(it.runs_from), it.case_id))
                .collect(),
            Self::Warnings(cause) => {
                warning::list(store, cause, warning::State::Running, from, most)
                    .await?
                    .into_iter()
                    .map(|it| (to_ms(it.runs_from), it.case_id))
                    .collect()
            }
        })
    }

    async fn count(self, store: &Store, before: OffsetDateTime) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Cases(state) => case::count_in_state(store, state, before).await?,
            Self::Papers(paper, progress) => delivery::count_of(store, paper, progress).await?,
            Self::Warnings(cause) => warning::count(store, cause, warning::State::Running).await?,
        })
    }
}

/// How many terms of each kind run, each up to a bound.
pub async fn counts(
    store: &Store,
    book: &LawBook,
    now: OffsetDateTime,
) -> Result<Vec<(Kind, u64)>, StoreError> {
    let mut counts = Vec::new();
    for kind in Kind::ALL {
        let bound = match kind {
            Kind::Limitation => first_day(book, kind, to_ms(now + LIMITATION_AHEAD), now),
            _ => None,
        };
        let before = bound
            .map_or(now + Duration::days(SEARCHED), |day| day.midnight().assume_offset(VIETNAM));
        let mut count = 0;
        for source in sources(kind) {
            count += source.count(store, before).await?;
        }
        counts.push((kind, count.min(case::MOST_COUNTED + 1)));
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    /// Whatever was shown last, the place from which the lists are read again leaves nothing out.
    #[test]
    fn a_place_leaves_nothing_out() {
        let book = crate::law::book().unwrap();
        let now = datetime!(2026-11-30 10:00 +7);
        let place = |kind: Kind, day: i64| {
            let began = now + Duration::days(day) + Duration::hours(day.rem_euclid(7));
            let end = book.end(kind.term(&book), began).ok();
            Place {
                due: due(&book, kind, began, end),
                began: to_ms(began),
                case_id: format!("{day:04}"),
                kind,
            }
        };
        let days = -800..420;
        for kind in [Kind::Notice, Kind::SendAgain, Kind::NoShow] {
            let all: Vec<_> = days.clone().map(|day| place(kind, day)).collect();
            for other in [Kind::Notice, Kind::SendAgain, Kind::NoShow] {
                for after in days.clone().step_by(13).map(|day| place(other, day)) {
                    let from = begin(&book, kind, &after, now);
                    for one in all.iter().filter(|one| **one > after) {
                        let read = (one.began, &one.case_id) >= (from.0, &from.1);
                        assert!(read, "{one:?} behind {after:?} is not read from {from:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn places_go_through_a_link() {
        let place = Place { due: -5, began: 7, case_id: "0193-a".into(), kind: Kind::SendAgain };
        assert_eq!(Place::parse(&place.text()), Some(place));
        for bad in ["", "1.2.3", "1.2.notice.\u{e9}", "x.2.notice.a", "1.2.fly.a"] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
