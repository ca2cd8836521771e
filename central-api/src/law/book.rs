//! The decrees and the procedure, checked against themselves, and the choice among them by the
//! time of the act.

use contract::Facts;
use contract::act::Violation;
use serde::{Deserialize, Serialize};
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, Time};

use super::calendar::{Calendar, Day};
use super::deadline::End;
use super::fine::{Circumstances, Payer, Range, Scale};
use super::instalments::{self, Instalments};
use super::late::{self, Debt};
use super::order::{self, OrderRules};
use super::referral::{self, ReferralRules};
use super::schema::{Circumstance, DecreeFile, Kind, ProcedureFile, ProvisionRow};
use super::service::Service;
use super::signer::Signers;
use super::{Deadline, Term, VIETNAM};

/// Why the law cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LawError {
    #[error("{file}: {problem}")]
    Syntax { file: String, problem: String },
    #[error("{file}: {entry}: {problem}")]
    Entry { file: String, entry: String, problem: String },
    #[error("no decree was in force at {at} for {act} by a {on:?}")]
    NoProvision { act: String, on: Kind, at: String },
    #[error(
        "law/calendar.toml does not know the days off of {year}, only those of {known}: add them \
         from that year's notice"
    )]
    UnknownYear { year: i32, known: String },
    #[error("no day between {from} and {to} is certain to be worked: no appointment can be given")]
    NoAppointment { from: Date, to: Date },
}

/// What an act costs and under which words: chosen once, kept in the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Provision {
    /// The decree that holds the provision, e.g. `168/2024/NĐ-CP`.
    pub decree: String,
    /// Decrees in force that amend it, oldest first.
    pub amended_by: Vec<String>,
    pub article: u32,
    pub clause: u32,
    pub point: Option<String>,
    pub text: String,
    /// Bracket for an individual, VND.
    pub fine_min: i64,
    pub fine_max: i64,
    /// Amount without aggravating or mitigating circumstances, VND.
    pub fine_default: i64,
    /// Licence points deducted.
    pub points: u32,
    /// Lowest office that may sign the fine.
    pub signer: String,
}

#[derive(Debug)]
struct Decree {
    number: String,
    effective: OffsetDateTime,
    amends: Option<String>,
    provisions: Vec<ProvisionRow>,
}

/// All of `law/`.
#[derive(Debug)]
pub struct LawBook {
    decrees: Vec<Decree>,
    /// In the order of [`Term::ALL`].
    deadlines: Vec<Deadline>,
    calendar: Calendar,
    signers: Signers,
    circumstances: Vec<Circumstance>,
    scale: Scale,
    licence_test_months: u32,
    late_per_day: f64,
    without_proof_days: i64,
    /// Bracket maxima from which a person and an organisation may explain themselves.
    explains_from: [i64; 2],
    /// Newest first.
    instalments: Vec<Instalments>,
    /// Newest first.
    orders: Vec<OrderRules>,
    /// Newest first.
    referrals: Vec<ReferralRules>,
    appointment_days: i64,
    appointment_at: Time,
    pub(super) service: Service,
}

impl Provision {
    /// `điểm c khoản 7 Điều 7 Nghị định số 168/2024/NĐ-CP (được sửa đổi, bổ sung bởi …)`.
    pub fn citation(&self) -> String {
        let mut text = String::new();
        if let Some(point) = &self.point {
            text.push_str(&format!("điểm {point} "));
        }
        text.push_str(&format!(
            "khoản {} Điều {} Nghị định số {}",
            self.clause, self.article, self.decree
        ));
        for (index, number) in self.amended_by.iter().enumerate() {
            text.push_str(if index == 0 {
                " (được sửa đổi, bổ sung bởi "
            } else {
                "; "
            });
            text.push_str(&format!("Nghị định số {number}"));
        }
        if !self.amended_by.is_empty() {
            text.push(')');
        }
        text
    }
}

impl Provision {
    /// `7.7.c`: article, clause and point.
    pub fn key(&self) -> String {
        super::schema::key(self.article, self.clause, self.point.as_deref())
    }
}

impl LawBook {
    /// Reads and checks the files; each comes with the name used in messages.
    pub fn read(
        decrees: &[(&str, &str)],
        procedure: (&str, &str),
        calendar: (&str, &str),
    ) -> Result<Self, LawError> {
        let file: ProcedureFile = parse(procedure)?;
        let at = format_description!("[hour]:[minute]");
        let appointment_at = Time::parse(&file.appointment.at, at)
            .map_err(|_| entry(procedure.0, "appointment.at", "is not a time of day like 08:00"))?;
        let mut book = Self {
            decrees: Vec::new(),
            deadlines: terms(procedure.0, &file.deadline)?,
            calendar: Calendar::read(calendar)?,
            signers: Signers::read(procedure.0, file.signer)?,
            scale: Scale {
                position: file.fine.default_position,
                organisation_factor: file.fine.organisation_factor,
            },
            circumstances: circumstances(procedure.0, file.circumstance)?,
            licence_test_months: file.licence.test_months,
            late_per_day: file.late_payment.per_day,
            without_proof_days: file.late_payment.without_proof_days,
            explains_from: [file.explanation.person_from, file.explanation.organisation_from],
            instalments: instalments::read(procedure.0, file.instalments)?,
            orders: order::read(procedure.0, file.order)?,
            referrals: referral::read(procedure.0, file.referral)?,
            appointment_days: file.appointment.days_after_notice,
            appointment_at,
            service: Service::read(procedure.0, &file.service, file.paper, file.receiver)?,
        };
        for (name, text) in decrees {
            let decree = decree((name, text), &book)?;
            book.decrees.push(decree);
        }
        book.decrees.sort_by_key(|decree| decree.effective);
        book.check_procedure(procedure.0)?;
        for source in [
            &file.fine.source,
            &file.licence.source,
            &file.late_payment.source,
            &file.explanation.source,
            &file.appointment.source,
            &file.service.source,
        ] {
            if source.trim().is_empty() {
                return Err(entry(procedure.0, "source", "is empty: every value names its source"));
            }
        }
        let sound = file.service.letters > 0
            && file.fine.organisation_factor >= 1
            && file.licence.points > 0
            && file.licence.test_months > 0
            && file.licence.several_acts == "highest_only"
            && (0.0..0.01).contains(&file.late_payment.per_day)
            && file.late_payment.without_proof_days > 0
            && file.explanation.person_from <= file.explanation.organisation_from;
        if !sound {
            let problem =
                "fine, licence, late_payment, explanation or service holds an impossible value";
            return Err(entry(procedure.0, "procedure", problem));
        }
        Ok(book)
    }

    fn check_procedure(&self, file: &str) -> Result<(), LawError> {
        if !(0.0..=1.0).contains(&self.scale.position) {
            return Err(entry(file, "fine.default_position", "is not between 0 and 1"));
        }
        for deadline in &self.deadlines {
            if deadline.count == 0 || deadline.source.trim().is_empty() {
                let name = format!("deadline {:?}", deadline.name);
                return Err(entry(file, &name, "needs a count above 0 and a source"));
            }
        }
        let no_show = i64::from(self.deadline(Term::NoShow).count);
        if self.appointment_days < 1 || self.appointment_days > no_show {
            let problem = "days_after_notice must lie between 1 and the no_show term";
            return Err(entry(file, "appointment", problem));
        }
        Ok(())
    }

    /// The provision for an act seen by a camera. Where the law has brackets, the excess at the
    /// accused's best chooses, whole units of it.
    pub fn provision(&self, violation: &Violation) -> Result<Provision, LawError> {
        let excess = match &violation.facts {
            Facts::Speed(facts) => facts.speed.excess(),
            Facts::AverageSpeed(facts) => facts.speed.excess(),
            _ => None,
        };
        let on = Kind::from(violation.vehicle);
        self.choose(violation.act.name(), excess.map(|over| over.floor() as i64), on, violation.at)
    }

    /// The provision for any act of the tables.
    pub fn find(&self, act: &str, on: Kind, at: OffsetDateTime) -> Result<Provision, LawError> {
        self.choose(act, None, on, at)
    }

    fn choose(
        &self,
        act: &str,
        excess: Option<i64>,
        on: Kind,
        at: OffsetDateTime,
    ) -> Result<Provision, LawError> {
        let missing =
            || LawError::NoProvision { act: act.into(), on, at: at.to_offset(VIETNAM).to_string() };
        let in_force = || self.decrees.iter().filter(|decree| decree.effective <= at);
        // The newest text wins; it is cited as the article of the decree it amends.
        let (decree, row) = in_force()
            .rev()
            .find_map(|decree| {
                let row =
                    decree.provisions.iter().find(|row| row.on == on && row.covers(act, excess))?;
                Some((decree, row))
            })
            .ok_or_else(missing)?;
        let base = decree.amends.as_ref().unwrap_or(&decree.number);
        let amended_by = in_force()
            .filter(|other| other.amends.as_ref() == Some(base))
            .map(|other| other.number.clone())
            .collect();
        Ok(Provision {
            decree: base.clone(),
            amended_by,
            article: row.article,
            clause: row.clause,
            point: row.point.clone(),
            text: row.text.clone(),
            fine_min: row.fine[0],
            fine_max: row.fine[1],
            fine_default: self.scale.middle(row.fine),
            points: row.points,
            signer: self.signers.lowest(row, at).ok_or_else(missing)?.to_owned(),
        })
    }

    pub fn deadline(&self, term: Term) -> &Deadline {
        &self.deadlines[term as usize]
    }

    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// The last moment for the notice of an act. Where the calendar is not settled, the earlier.
    pub fn notice_due(&self, detected: OffsetDateTime) -> Result<OffsetDateTime, LawError> {
        Ok(self.end(Term::Notice, detected)?.earliest)
    }

    /// The last moment at which an act may still be fined.
    pub fn limitation(&self, act: OffsetDateTime) -> Result<OffsetDateTime, LawError> {
        Ok(self.end(Term::Limitation, act)?.earliest)
    }

    /// When the term that `event` began is over.
    pub fn end(&self, term: Term, event: OffsetDateTime) -> Result<End, LawError> {
        self.deadline(term).end(event, &self.calendar)
    }

    /// Whether there is a right to explain oneself before the decision (Luật XLVPHC Điều 61): by the
    /// bracket's maximum, an organisation's being a multiple of a person's.
    pub fn may_explain(&self, provision: &Provision, payer: Payer) -> bool {
        let [person, organisation] = self.explains_from;
        match payer {
            Payer::Organisation => {
                provision.fine_max * self.scale.organisation_factor >= organisation
            }
            Payer::Adult | Payer::Minor => provision.fine_max >= person,
        }
    }

    /// Months without points after which a test may give a licence its points back.
    pub const fn licence_test_months(&self) -> u32 {
        self.licence_test_months
    }

    /// Whether the office of a title may sign a decision under a provision on an act of `act`.
    pub fn may_sign(&self, title: &str, provision: &Provision, act: OffsetDateTime) -> bool {
        self.signers.may(title, provision, act)
    }

    /// The offices that sign at `at`.
    pub fn offices(&self, at: OffsetDateTime) -> Vec<&str> {
        self.signers.titles(at)
    }

    /// What makes a fine milder or harsher, in the law's order.
    pub fn circumstances(&self) -> &[Circumstance] {
        &self.circumstances
    }

    /// The last day for paying a decision of which nothing proves when it was received: nobody receives
    /// it before it is sent. Like any term it ends on a day that is worked; where the calendar is not
    /// settled, the later.
    pub fn pay_until_without_proof(&self, decided: Date, sent: Date) -> Date {
        let term = i64::from(self.deadline(Term::Pay).count);
        let later = |day: Date, days| day.saturating_add(Duration::days(days));
        let received = later(decided, (self.without_proof_days - term).max(0));
        let received = received.max(sent);
        let end = self.end(Term::Pay, received.midnight().assume_offset(VIETNAM));
        // Of a year whose days off are not known yet: so many days.
        end.map_or_else(|_| later(received, term), |end| end.latest.to_offset(VIETNAM).date())
    }

    /// When a notice of `issued` asks the owner to come: a day that is certainly worked, within
    /// the no_show term.
    pub fn appointment(&self, issued: OffsetDateTime) -> Result<OffsetDateTime, LawError> {
        let issued = issued.to_offset(VIETNAM).date();
        let later = |days| issued.saturating_add(Duration::days(days));
        let from = later(self.appointment_days);
        let to = later(i64::from(self.deadline(Term::NoShow).count));
        let mut day = from;
        while self.calendar.day(day)? != Day::Working {
            day = super::deadline::next(day);
            if day > to {
                return Err(LawError::NoAppointment { from, to });
            }
        }
        Ok(day.with_time(self.appointment_at).assume_offset(VIETNAM))
    }

    /// What a decision may ask of `payer` under a provision, its bracket being a person's.
    pub fn fine(&self, provision: &Provision, found: Circumstances, payer: Payer) -> Range {
        self.scale.range([provision.fine_min, provision.fine_max], found, payer)
    }

    /// What paying what is left of `debt` on `day` costs beside it, VND.
    pub fn surcharge(&self, debt: Debt<'_>, day: Date) -> i64 {
        late::surcharge(debt, self.late_per_day, day)
    }

    /// How a fine of a decision of that day may be paid by parts; none where no law in force then says.
    pub fn instalments(&self, decided_on: Date) -> Option<&Instalments> {
        self.instalments.iter().find(|rules| rules.from <= decided_on)
    }

    /// Which orders of a kind there may be about a decision of that day; none where no law in force then
    /// says.
    pub fn order(&self, kind: &str, decided_on: Date) -> Option<&OrderRules> {
        self.orders.iter().find(|rules| rules.are_for(kind, decided_on))
    }

    /// What may be sent to another unit on that day, by the kind of its document.
    pub fn referral(&self, kind: &str, on: Date) -> Option<&ReferralRules> {
        self.referrals.iter().find(|rules| rules.are_for(kind, on))
    }
}

/// Every term once, in the order of [`Term::ALL`].
fn terms(file: &str, given: &[Deadline]) -> Result<Vec<Deadline>, LawError> {
    let found = |term: Term| {
        let mut rows = given.iter().filter(|deadline| deadline.name == term);
        match (rows.next(), rows.next()) {
            (Some(deadline), None) => Ok(deadline.clone()),
            _ => Err(entry(file, &format!("deadline {term:?}"), "must be given, and once")),
        }
    };
    Term::ALL.into_iter().map(found).collect()
}

fn circumstances(file: &str, rows: Vec<Circumstance>) -> Result<Vec<Circumstance>, LawError> {
    for (index, row) in rows.iter().enumerate() {
        let wrong = |problem| entry(file, &format!("circumstance {}", row.key), problem);
        if rows[..index].iter().any(|other| other.key == row.key) {
            return Err(wrong("is there twice"));
        }
        if row.key.is_empty() || row.text.trim().is_empty() || row.source.trim().is_empty() {
            return Err(wrong("needs a key, a text and a source"));
        }
    }
    Ok(rows)
}

fn decree(source: (&str, &str), book: &LawBook) -> Result<Decree, LawError> {
    let file: DecreeFile = parse(source)?;
    let name = source.0;
    let date = |key: &str, text: &str| {
        day(text).ok_or_else(|| entry(name, key, "is not a date like 2026-08-15"))
    };
    let effective = date("effective", &file.effective)?;
    if let Some(issued) = &file.issued {
        date("issued", issued)?;
    }
    for (key, text) in [("number", &file.number), ("title", &file.title), ("source", &file.source)]
    {
        if text.trim().is_empty() {
            return Err(entry(name, key, "is empty"));
        }
    }
    for (index, row) in file.provision.iter().enumerate() {
        let at = format!("provision {} on {:?}", row.act, row.on);
        if row.fine[0] <= 0 || row.fine[0] > row.fine[1] {
            return Err(entry(name, &at, "fine must be [min, max] with 0 < min ≤ max"));
        }
        if row.points > 12 {
            return Err(entry(name, &at, "points must be 0 to 12"));
        }
        if row.text.trim().is_empty() {
            return Err(entry(name, &at, "text is empty"));
        }
        if row.of.is_some() != row.excess.is_some() || row.excess.is_some_and(|[a, b]| a > b) {
            return Err(entry(name, &at, "of and excess = [from, to] go together, from ≤ to"));
        }
        if book.signers.lowest(row, effective).is_none() {
            return Err(entry(name, &at, "nobody may sign a fine this high"));
        }
        let earlier = &file.provision[..index];
        if earlier.iter().any(|other| other.act == row.act && other.on == row.on) {
            return Err(entry(name, &at, "is given twice"));
        }
    }
    Ok(Decree { number: file.number, effective, amends: file.amends, provisions: file.provision })
}

/// The first moment of a day like 2026-08-15 in Vietnam.
pub(super) fn day(text: &str) -> Option<OffsetDateTime> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(date.with_time(Time::MIDNIGHT).assume_offset(VIETNAM))
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(
    (name, text): (&str, &str),
) -> Result<T, LawError> {
    toml::from_str(text).map_err(|e| LawError::Syntax { file: name.into(), problem: e.to_string() })
}

pub(super) fn entry(file: &str, entry: &str, problem: &str) -> LawError {
    LawError::Entry { file: file.into(), entry: entry.into(), problem: problem.into() }
}
