//! The boxes at the road, for those who answer for them: which one needs somebody, and why.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::session::Officer;
use crate::AppState;
use crate::device::fleet::{self, Fault, Member, Standing};
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    standing: String,
}

#[derive(Template)]
#[template(path = "boxes.html")]
struct BoxesPage {
    shell: Shell,
    w: &'static Words,
    counts: Vec<Count>,
    total: usize,
    all: bool,
    rows: Vec<Row>,
}

struct Count {
    name: &'static str,
    text: String,
    count: usize,
    selected: bool,
}

#[derive(Template)]
#[template(path = "box.html")]
struct BoxPage {
    shell: Shell,
    w: &'static Words,
    row: Row,
    enrolled: String,
    head: String,
    assigned: Option<u64>,
    said: Option<Said>,
}

/// The box's own report, in words.
struct Said {
    clock: String,
    up: String,
    since: String,
    bytes: String,
    set_aside: u64,
    cameras: Vec<Camera>,
    models: Vec<(String, String)>,
}

struct Camera {
    id: String,
    well: bool,
    state: String,
    detail: String,
    fps: String,
    quiet: String,
    reconnects: u64,
}

/// A box in a list.
struct Row {
    id: String,
    standing: &'static str,
    standing_text: String,
    faults: Vec<String>,
    cameras: Option<(usize, usize)>,
    pending: Option<u64>,
    software: String,
    /// Of what it runs, in words; empty where it takes no updates.
    release: String,
    heard: String,
}

pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
    Query(search): Query<Search>,
) -> Result<Response, WebError> {
    let w = words(&officer)?;
    let now = state.clock.now();
    let members = fleet::all(&state.store, now).await?;
    let standings: Vec<Standing> = members.iter().map(|member| member.standing(now)).collect();
    let chosen = Standing::ALL.into_iter().find(|standing| standing.name() == search.standing);
    let count = |standing: Standing| Count {
        name: standing.name(),
        text: w.named("standing", standing.name()),
        count: standings.iter().filter(|it| **it == standing).count(),
        selected: chosen == Some(standing),
    };
    let row = |(member, standing): (&Member, &Standing)| {
        chosen.is_none_or(|chosen| chosen == *standing).then(|| Row::of(member, *standing, w, now))
    };
    let template = BoxesPage {
        shell: officer.shell(&state, "boxes").await?,
        w,
        counts: Standing::ALL.into_iter().map(count).filter(|count| count.count > 0).collect(),
        total: members.len(),
        all: chosen.is_none(),
        rows: members.iter().zip(&standings).filter_map(row).collect(),
    };
    page(StatusCode::OK, &template)
}

pub(super) async fn show(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let w = words(&officer)?;
    let now = state.clock.now();
    let found = fleet::one(&state.store, &id, now).await?;
    let member = found.ok_or(WebError::NotFound(officer.lang))?;
    let template = BoxPage {
        shell: officer.shell(&state, "boxes").await?,
        w,
        row: Row::of(&member, member.standing(now), w, now),
        enrolled: format::second(member.device.enrolled_at),
        head: member.device.head.clone(),
        assigned: member.assigned(),
        said: member.word.as_ref().map(|word| Said::of(word, w)),
    };
    page(StatusCode::OK, &template)
}

fn words(officer: &Officer) -> Result<&'static Words, WebError> {
    if officer.sees_boxes() {
        return Ok(officer.lang.words());
    }
    Err(WebError::Forbidden(officer.lang))
}

impl Row {
    fn of(member: &Member, standing: Standing, w: &Words, now: OffsetDateTime) -> Self {
        let word = member.word.as_ref();
        Self {
            id: member.device.id.clone(),
            standing: standing.name(),
            standing_text: w.named("standing", standing.name()),
            faults: match standing {
                Standing::Revoked => Vec::new(),
                _ => member.faults().iter().map(|fault| in_words(fault, w)).collect(),
            },
            cameras: word.map(|word| {
                let cameras = &word.report.cameras;
                (cameras.iter().filter(|camera| camera.is_well()).count(), cameras.len())
            }),
            pending: word.map(|word| word.report.spool.pending),
            software: word.map_or("–".into(), |word| word.report.software.clone()),
            release: release(member, w),
            heard: word.map_or("–".into(), |word| ago(now - word.received_at, w)),
        }
    }
}

impl Said {
    fn of(fleet::Word { received_at, report }: &fleet::Word, w: &Words) -> Self {
        let camera = |camera: &contract::report::Camera| Camera {
            id: camera.id.clone(),
            well: camera.is_well(),
            state: w.named("camera_state", &camera.state),
            detail: camera.detail.clone(),
            fps: format!("{:.1}", camera.fps),
            quiet: camera.quiet_s.map_or("–".into(), |s| lasts(Duration::seconds(seconds(s)), w)),
            reconnects: camera.reconnects,
        };
        let models = report.models.iter();
        let digest = |digest: String| digest.chars().take(12).collect();
        Self {
            clock: ahead(report.at - *received_at),
            up: lasts(Duration::seconds(seconds(report.up_s)), w),
            since: format::second(report.configuration.since),
            bytes: format::size(report.spool.bytes),
            set_aside: report.spool.refused.saturating_add(report.spool.damaged),
            cameras: report.cameras.iter().map(camera).collect(),
            models: models.map(|it| (it.name.clone(), digest(it.sha256.to_string()))).collect(),
        }
    }
}

/// Which release it runs, and which it is to run where that is another.
fn release(member: &Member, w: &Words) -> String {
    let update = member.word.as_ref().and_then(|word| word.report.update.as_ref());
    let Some(update) = update else { return String::new() };
    let mut text = match (update.release, update.on_trial) {
        (0, _) => w.t("box.as_installed").to_owned(),
        (number, true) => w.with("box.on_trial", "number", number),
        (number, false) => w.with("box.release", "number", number),
    };
    if let Some(next) = member.assigned().filter(|next| *next != update.release) {
        text.push_str(" → ");
        text.push_str(&next.to_string());
    }
    text
}

/// Of a clock, to a tenth of a second; no sign where that is none.
fn ahead(by: Duration) -> String {
    match by.whole_milliseconds() {
        -49..=49 => "0.0 s".into(),
        ms => format!("{:+.1} s", ms as f64 / 1000.0),
    }
}

fn seconds(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn in_words(fault: &Fault, w: &Words) -> String {
    match fault {
        Fault::Said(text) => text.clone(),
        Fault::Stuck { code, remedy } => {
            w.with("box.stuck", "code", code).replace("{remedy}", remedy)
        }
        Fault::Cameras { away, of } => {
            w.with("box.cameras_away", "away", away).replace("{of}", &of.to_string())
        }
        Fault::Camera { id, warning } => format!("{id}: {warning}"),
        Fault::Clock { seconds } => w.with("box.clock_off", "seconds", format!("{seconds:+}")),
        Fault::Configuration { why } => w.with("box.configuration_behind", "why", why),
        Fault::SetAside { count } => w.with("box.set_aside_fault", "count", count),
        Fault::Undone { release, reason } => {
            w.with("box.undone", "number", release).replace("{reason}", reason)
        }
        Fault::NotTaken { why } => w.with("box.not_taken", "why", why),
    }
}

/// How long ago, in the largest unit that says it.
fn ago(time: Duration, w: &Words) -> String {
    w.with("box.ago", "time", lasts(time, w))
}

fn lasts(time: Duration, w: &Words) -> String {
    let (key, count) = match time.whole_seconds().max(0) {
        seconds @ 0..120 => ("box.seconds", seconds),
        seconds @ 120..7200 => ("box.minutes", seconds / 60),
        seconds @ 7200..172_800 => ("box.hours", seconds / 3600),
        seconds => ("box.days", seconds / 86_400),
    };
    w.with(key, "count", count)
}
