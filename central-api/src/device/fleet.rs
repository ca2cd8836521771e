//! All boxes at a glance: who is well, who needs somebody and why, who has fallen silent.

use contract::report::{self, Report};
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::enrol::{self, Listed};
use crate::store::{Store, StoreError, from_ms, to_ms};

/// A box that has not reported for so long is silent.
const SILENT_AFTER: Duration = Duration::seconds(5 * report::EVERY_S as i64);
/// One that has never reported is expected to for so long after its enrolment.
const EXPECTED: Duration = Duration::HOUR;
/// A clock further off than this dates evidence wrongly enough for somebody to look.
const CLOCK_OFF: Duration = Duration::seconds(2);
/// A report is no longer on its way than this: the box's clock is not blamed for it.
const ON_THE_WAY: Duration = Duration::seconds(3);

/// One enrolled box.
#[derive(Debug, Clone)]
pub struct Member {
    pub device: Listed,
    pub word: Option<Word>,
}

/// What a box said last, and when it came.
#[derive(Debug, Clone)]
pub struct Word {
    pub received_at: OffsetDateTime,
    pub report: Report,
}

/// How a box stands, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Somebody must help, else evidence is lost or not delivered.
    Trouble,
    /// No word for too long.
    Silent,
    /// Works, but not all of it is as it should be.
    Attention,
    /// Enrolled, and no word yet.
    Unheard,
    Well,
    Revoked,
}

impl Standing {
    pub const ALL: [Self; 6] =
        [Self::Trouble, Self::Silent, Self::Attention, Self::Unheard, Self::Well, Self::Revoked];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Silent => "silent",
            Self::Attention => "attention",
            Self::Unheard => "unheard",
            Self::Well => "well",
            Self::Revoked => "revoked",
        }
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The box's own words.
    Said(String),
    /// The central refuses what it sends: the code, and what helps.
    Stuck { code: String, remedy: String },
    /// So many cameras of so many are not well.
    Cameras { away: usize, of: usize },
    /// What a camera warns of.
    Camera { id: String, warning: String },
    /// Its clock is off by so many seconds; positive: ahead.
    Clock { seconds: i64 },
    /// Its files say what is not in force.
    Configuration { why: String },
    /// Packages set aside on the box.
    SetAside { count: u64 },
    /// It would not have a release, or went back from it.
    Undone { release: u64, reason: String },
    /// What it is given is not taken.
    NotTaken { why: String },
}

impl Fault {
    /// Whether evidence is lost or kept from the central by it.
    const fn is_trouble(&self) -> bool {
        matches!(self, Self::Said(_) | Self::Stuck { .. })
    }
}

impl Member {
    pub fn standing(&self, now: OffsetDateTime) -> Standing {
        if self.device.revoked_at.is_some() {
            return Standing::Revoked;
        }
        let faults = self.faults();
        if faults.iter().any(Fault::is_trouble) {
            return Standing::Trouble;
        }
        match &self.word {
            None if now - self.device.enrolled_at > EXPECTED => Standing::Silent,
            None => Standing::Unheard,
            Some(word) if now - word.received_at > SILENT_AFTER => Standing::Silent,
            Some(_) if !faults.is_empty() => Standing::Attention,
            Some(_) => Standing::Well,
        }
    }

    /// Number of the release that it is to run.
    pub fn assigned(&self) -> Option<u64> {
        self.device.release.and_then(|number| u64::try_from(number).ok())
    }

    /// What is not as it should be, as far as it is known.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(stuck) = &self.device.stuck {
            let remedy = stuck.remedy(&self.device.id);
            faults.push(Fault::Stuck { code: stuck.code.clone(), remedy });
        }
        let Some(Word { received_at, report }) = &self.word else { return faults };
        faults.extend(report.troubles.iter().cloned().map(Fault::Said));
        let away = report.cameras.iter().filter(|camera| !camera.is_well()).count();
        if away > 0 {
            faults.push(Fault::Cameras { away, of: report.cameras.len() });
        }
        for camera in &report.cameras {
            let fault = |warning: &String| Fault::Camera {
                id: camera.id.clone(),
                warning: warning.clone(),
            };
            faults.extend(camera.warnings.iter().map(fault));
        }
        let ahead = report.at - *received_at;
        if ahead > CLOCK_OFF || ahead < -(CLOCK_OFF + ON_THE_WAY) {
            faults.push(Fault::Clock { seconds: ahead.whole_seconds() });
        }
        let configuration = &report.configuration;
        if let Some(why) = &configuration.refused {
            faults.push(Fault::Configuration { why: why.clone() });
        } else if !configuration.awaits_restart.is_empty() {
            let why = format!("restart: {}", configuration.awaits_restart.join(", "));
            faults.push(Fault::Configuration { why });
        }
        let count = report.spool.refused.saturating_add(report.spool.damaged);
        if count > 0 {
            faults.push(Fault::SetAside { count });
        }
        let update = report.update.as_ref();
        let not_taken = update.and_then(|update| update.not_taken.clone());
        faults.extend(not_taken.map(|why| Fault::NotTaken { why }));
        // A later release that works is the answer to it.
        if let Some((update, undone)) = update.and_then(|it| Some((it, it.undone.as_ref()?)))
            && undone.release > update.release
        {
            let (release, reason) = (undone.release, undone.reason.clone());
            faults.push(Fault::Undone { release, reason });
        }
        faults
    }
}

/// Keeps the box's word instead of the one before.
pub async fn note(
    store: &Store,
    device: &str,
    now: OffsetDateTime,
    report: &Report,
) -> Result<(), StoreError> {
    // A struct of plain values: it was read from JSON and goes back to it.
    let text = serde_json::to_string(report).unwrap_or_default();
    store
        .write(
            sqlx::query(
                "INSERT INTO device_reports (device_id, received_at, report) VALUES ($1, $2, $3)
         ON CONFLICT (device_id) DO UPDATE
         SET received_at = excluded.received_at, report = excluded.report",
            )
            .bind(device)
            .bind(to_ms(now))
            .bind(text),
        )
        .await?;
    Ok(())
}

/// Every enrolled box, those that need somebody first, then by name.
pub async fn all(store: &Store, now: OffsetDateTime) -> Result<Vec<Member>, StoreError> {
    let rows = sqlx::query("SELECT device_id, received_at, report FROM device_reports")
        .fetch_all(store.pool())
        .await?;
    let mut words = std::collections::HashMap::new();
    for row in rows {
        let text: String = row.try_get("report")?;
        // Written by another version: as if it had said nothing.
        let Ok(report) = serde_json::from_str(&text) else { continue };
        let received_at = from_ms(row.try_get("received_at")?)?;
        words.insert(row.try_get::<String, _>("device_id")?, Word { received_at, report });
    }
    let mut members: Vec<Member> = enrol::list(store)
        .await?
        .into_iter()
        .map(|device| Member { word: words.remove(&device.id), device })
        .collect();
    members.sort_by_cached_key(|member| (member.standing(now), member.device.id.clone()));
    Ok(members)
}

/// One box, if it was ever enrolled.
pub async fn one(
    store: &Store,
    id: &str,
    now: OffsetDateTime,
) -> Result<Option<Member>, StoreError> {
    Ok(all(store, now).await?.into_iter().find(|member| member.device.id == id))
}

#[cfg(test)]
mod tests {
    use contract::report::{Camera, Configuration, Spool, Undone, Update};
    use time::macros::datetime;

    use super::*;
    use crate::device::stuck::Stuck;

    const NOW: OffsetDateTime = datetime!(2026-11-29 10:00 UTC);

    fn member(change: impl FnOnce(&mut Member)) -> Member {
        let camera = |id: &str| Camera {
            id: id.into(),
            state: "streaming".into(),
            detail: String::new(),
            fps: 5.0,
            quiet_s: Some(0),
            reconnects: 0,
            warnings: Vec::new(),
        };
        let report = Report {
            at: NOW,
            up_s: 60,
            software: "edge-agent 0.1.0".into(),
            models: Vec::new(),
            configuration: Configuration { since: NOW, refused: None, awaits_restart: Vec::new() },
            cameras: vec![camera("cam-1"), camera("cam-2")],
            spool: Spool::default(),
            troubles: Vec::new(),
            update: None,
        };
        let device = Listed {
            id: "box-1".into(),
            enrolled_at: NOW,
            revoked_at: None,
            seen_at: None,
            head: "none".into(),
            stuck: None,
            release: None,
        };
        let mut member = Member { device, word: Some(Word { received_at: NOW, report }) };
        change(&mut member);
        member
    }

    fn said(change: impl FnOnce(&mut Report)) -> Member {
        member(|member| change(&mut member.word.as_mut().unwrap().report))
    }

    #[test]
    fn every_fault_is_told_and_weighs_what_it_should() {
        let stuck = Stuck { since: NOW, sequence: Some(4), code: "broken_chain".into() };
        let later = NOW + SILENT_AFTER;
        let update = |release| {
            let undone = Some(Undone { release: 5, reason: "cam-1 is away".into() });
            Some(Update { release, undone, ..Update::default() })
        };
        let cases: [(Member, OffsetDateTime, Standing, usize); 16] = [
            (member(|_| {}), NOW, Standing::Well, 0),
            (member(|_| {}), later, Standing::Well, 0),
            (member(|_| {}), later + Duration::SECOND, Standing::Silent, 0),
            (member(|it| it.word = None), later, Standing::Unheard, 0),
            (member(|it| it.word = None), NOW + Duration::hours(2), Standing::Silent, 0),
            (said(|it| it.cameras[1].warnings.push("a wire".into())), NOW, Standing::Attention, 1),
            (member(|it| it.device.revoked_at = Some(NOW)), NOW, Standing::Revoked, 0),
            (member(|it| it.device.stuck = Some(stuck)), NOW, Standing::Trouble, 1),
            (said(|it| it.troubles.push("the spool is full".into())), later, Standing::Trouble, 1),
            (said(|it| it.cameras[0].state = "moved".into()), NOW, Standing::Attention, 1),
            (said(|it| it.at += CLOCK_OFF + Duration::SECOND), NOW, Standing::Attention, 1),
            (said(|it| it.at -= Duration::hours(1)), NOW, Standing::Attention, 1),
            (said(|it| it.configuration.refused = Some("a:1".into())), NOW, Standing::Attention, 1),
            (said(|it| it.spool.damaged = 2), NOW, Standing::Attention, 1),
            (said(|it| it.update = update(4)), NOW, Standing::Attention, 1),
            (said(|it| it.update = update(6)), NOW, Standing::Well, 0),
        ];
        for (i, (member, now, standing, faults)) in cases.into_iter().enumerate() {
            assert_eq!(member.standing(now), standing, "{i}");
            assert_eq!(member.faults().len(), faults, "{i}: {:?}", member.faults());
        }
        // A report that was on its way for a while is no wrong clock.
        assert!(said(|it| it.at -= ON_THE_WAY).faults().is_empty());
    }
}
