//! What the page asks for and what it is answered, JSON both ways.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use judge::rules::speed::appraisal::{Appraisal, appraise};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use settings::shapes::Point;
use time::OffsetDateTime;

use super::CalibrateError;
use super::document::{DocumentError, Drawing, Elsewhere, Opened};
use super::live::Live;
use super::shapes::{FIELDS, SECTIONS, SHAPES};
use super::trial::{self, Outcome};
use crate::config::{self, Agent, Camera, ConfigError};
use crate::watch::eyes::{Eyes, Pool};

/// The size that pictures are taken to have before one came.
const USUAL: [u32; 2] = [1920, 1080];
/// The limit that a survey is appraised for where none is set, km/h.
const USUAL_LIMIT: f64 = 50.0;

/// The words that the page shares with the central's: acts, reasons, vehicles, movements, lights.
const WORDS: [(&str, &str); 2] = [
    ("vi", include_str!("../../../central-api/web/words/vi.toml")),
    ("en", include_str!("../../../central-api/web/words/en.toml")),
];
const CHAPTERS: [&str; 6] = ["act", "lawful", "in_doubt", "vehicle", "movement", "lamp"];

/// Everything behind the page.
#[derive(Debug)]
pub struct Desk<E: Eyes> {
    files: Vec<PathBuf>,
    cameras: BTreeMap<String, Live<E>>,
    words: Value,
    /// One at a time: each takes a core for a while.
    trial: Mutex<Trial>,
}

#[derive(Debug, Default)]
enum Trial {
    #[default]
    None,
    Running {
        camera: String,
        done: Arc<AtomicUsize>,
        of: usize,
    },
    Done {
        camera: String,
        outcome: Arc<Outcome>,
    },
    Failed {
        camera: String,
        why: String,
    },
}

type Answer = Result<Response, Refusal>;
type At<E> = State<Arc<Desk<E>>>;

/// Why something is not done, in words for the page.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such camera")]
    NoCamera,
    #[error("this is the drawing of another camera: load the page anew")]
    OtherCamera,
    #[error("there is no such picture")]
    NoPicture,
    #[error("the camera cannot be opened: {0}")]
    Thread(#[from] std::io::Error),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("{0}")]
    Config(#[from] config::ConfigErrors),
    #[error("the drawing does not load yet")]
    Complaints(Vec<Complaint>),
    #[error("no detector: the models could not be loaded, see the terminal")]
    NoEyes,
    #[error("no traffic was kept yet: wait until the picture has run for some seconds")]
    NoTraffic,
    #[error("another trial is running")]
    Busy,
    #[error("it broke off, see the terminal")]
    Broken,
}

impl Refusal {
    const fn status(&self) -> StatusCode {
        match self {
            Self::NoCamera | Self::NoPicture => StatusCode::NOT_FOUND,
            Self::Complaints(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Document(DocumentError::Changed(_)) => StatusCode::CONFLICT,
            Self::Document(DocumentError::Form(_)) => StatusCode::BAD_REQUEST,
            Self::OtherCamera | Self::NoTraffic | Self::Busy => StatusCode::CONFLICT,
            Self::NoEyes => StatusCode::NOT_IMPLEMENTED,
            Self::Thread(_) | Self::Document(_) | Self::Config(_) | Self::Broken => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// By which the page finds its own words.
    const fn name(&self) -> &'static str {
        match self {
            Self::Complaints(_) => "complaints",
            Self::OtherCamera => "other_camera",
            Self::Document(DocumentError::Changed(_)) => "changed",
            Self::NoEyes => "no_eyes",
            Self::NoTraffic => "no_traffic",
            Self::Busy => "busy",
            _ => "other",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, name, words) = (self.status(), self.name(), self.to_string());
        let complaints = if let Self::Complaints(all) = self { all } else { Vec::new() };
        let body = json!({ "error": name, "words": words, "complaints": complaints });
        (status, Json(body)).into_response()
    }
}

/// One complaint of the configuration's reader.
#[derive(Debug, Clone, Serialize)]
pub struct Complaint {
    file: Option<String>,
    line: Option<usize>,
    key: String,
    problem: String,
}

impl From<ConfigError> for Complaint {
    fn from(error: ConfigError) -> Self {
        let (file, line) = error.place.map_or((None, None), |place| {
            (Some(place.file.display().to_string()), Some(place.line))
        });
        Self { file, line, key: error.key, problem: error.problem }
    }
}

/// A drawing as the page sends it.
#[derive(Debug, Deserialize)]
pub struct Draft {
    /// That it was drawn for.
    camera: String,
    drawing: Drawing,
    /// Of the file that it was drawn on.
    revision: String,
}

/// A draft put into the files, as the agent would read them.
struct Read {
    opened: Opened,
    text: String,
    agent: Agent,
    complaints: Vec<Complaint>,
}

impl<E: Eyes> Desk<E> {
    pub fn new(
        files: Vec<PathBuf>,
        agent: Agent,
        eyes: Option<Arc<Pool<E>>>,
        played: Option<(String, PathBuf, OffsetDateTime)>,
    ) -> Result<Self, CalibrateError> {
        let live = |camera: Arc<Camera>| {
            let id = camera.id.clone();
            let recording = played.as_ref().filter(|(of, ..)| *of == id);
            let recording = recording.map(|(_, clip, start)| (clip.clone(), *start));
            (id, Live::new(camera, recording, eyes.clone()))
        };
        let cameras = agent.cameras.into_iter().map(live).collect();
        Ok(Self { files, cameras, words: words()?, trial: Mutex::default() })
    }

    fn camera(&self, id: &str) -> Result<&Live<E>, Refusal> {
        self.cameras.get(id).ok_or(Refusal::NoCamera)
    }

    fn open(&self, id: &str) -> Result<(Opened, Vec<(PathBuf, String)>), Refusal> {
        self.camera(id)?;
        let texts = config::read(&self.files)?;
        Ok((Opened::of(&texts, id)?, texts))
    }

    fn read(&self, id: &str, draft: &Draft) -> Result<Read, Refusal> {
        let (opened, mut texts) = self.open(id)?;
        if draft.camera != id {
            return Err(Refusal::OtherCamera);
        }
        let text = opened.with(&draft.drawing)?;
        for (_, of) in texts.iter_mut().filter(|(path, _)| *path == opened.path) {
            of.clone_from(&text);
        }
        let (agent, errors) = config::sketch(&texts)?;
        Ok(Read {
            opened,
            text,
            agent,
            complaints: errors.into_iter().map(Complaint::from).collect(),
        })
    }

    fn trial(&self) -> MutexGuard<'_, Trial> {
        self.trial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn words() -> Result<Value, CalibrateError> {
    let mut all = serde_json::Map::new();
    for (language, text) in WORDS {
        let table: toml::Table =
            toml::from_str(text).map_err(|error| CalibrateError::Words(error.to_string()))?;
        let mut chapters = serde_json::Map::new();
        for name in CHAPTERS {
            let chapter = table.get(name).and_then(|chapter| serde_json::to_value(chapter).ok());
            let missing = || CalibrateError::Words(format!("{language}.toml has no [{name}]"));
            chapters.insert(name.into(), chapter.ok_or_else(missing)?);
        }
        all.insert(language.into(), chapters.into());
    }
    Ok(all.into())
}

pub async fn table<E: Eyes>(State(desk): At<E>) -> Response {
    let cameras: Vec<&String> = desk.cameras.keys().collect();
    let body = json!({
        "sections": SECTIONS[..], "shapes": SHAPES[..], "fields": FIELDS[..],
        "words": desk.words, "cameras": cameras,
    });
    Json(body).into_response()
}

#[derive(Serialize)]
struct Page {
    file: String,
    revision: String,
    drawing: Drawing,
    elsewhere: Vec<Elsewhere>,
}

impl From<Opened> for Page {
    fn from(opened: Opened) -> Self {
        Self {
            file: opened.path.display().to_string(),
            revision: opened.revision(),
            drawing: opened.drawing,
            elsewhere: opened.elsewhere,
        }
    }
}

pub async fn opened<E: Eyes>(State(desk): At<E>, Path(id): Path<String>) -> Answer {
    let (opened, texts) = desk.open(&id)?;
    // As saved: what was drawn and not kept is not looked at any more.
    let (agent, _) = config::sketch(&texts)?;
    look(&desk, &id, &agent)?;
    Ok(Json(Page::from(opened)).into_response())
}

fn look<E: Eyes>(desk: &Desk<E>, id: &str, agent: &Agent) -> Result<(), Refusal> {
    let camera = agent.cameras.iter().find(|camera| camera.id == id).ok_or(Refusal::NoCamera)?;
    desk.camera(id)?.draw(Camera::clone(camera));
    Ok(())
}

pub async fn view<E: Eyes>(State(desk): At<E>, Path(id): Path<String>) -> Answer {
    let camera = desk.camera(&id)?;
    camera.ask(false)?;
    Ok(Json(camera.view()).into_response())
}

pub async fn again<E: Eyes>(State(desk): At<E>, Path(id): Path<String>) -> Answer {
    let camera = desk.camera(&id)?;
    camera.ask(true)?;
    Ok(Json(camera.view()).into_response())
}

pub async fn picture<E: Eyes>(State(desk): At<E>, Path(id): Path<String>) -> Answer {
    desk.camera(&id)?.ask(false)?;
    let made = tokio::task::spawn_blocking(move || desk.camera(&id).map(Live::jpeg)).await;
    let (number, bytes) = made.map_err(|_| Refusal::Broken)??.ok_or(Refusal::NoPicture)?;
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg".to_owned()),
        (HeaderName::from_static("x-number"), number.to_string()),
    ];
    Ok((headers, bytes).into_response())
}

/// What a survey is worth, or why it is worth nothing.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Survey {
    Worth {
        #[serde(flatten)]
        appraisal: Appraisal,
        limit: f64,
        /// Nobody is accused below this, km/h.
        accused_from: Option<f64>,
    },
    Worthless(String),
}

fn survey(drawing: &Drawing, size: [u32; 2], fps: f64) -> Option<Survey> {
    #[derive(Deserialize)]
    struct Mark {
        at: Point,
        metres: [f64; 2],
    }
    let speed = drawing.get("speed")?;
    let marks: Vec<Mark> = serde_json::from_value(speed.get("survey")?.clone()).ok()?;
    let marks: Vec<_> = marks.into_iter().map(|mark| (mark.at, mark.metres)).collect();
    let number = |key: &str| speed.get(key).and_then(Value::as_f64);
    let limit = number("limit").filter(|limit| *limit > 0.0).unwrap_or(USUAL_LIMIT);
    let tolerance = number("tolerance").unwrap_or(3.0);
    Some(match appraise(&marks, size, fps, limit) {
        Ok(appraisal) => {
            let beyond = |uncertainty: f64| limit + tolerance + uncertainty + 5.0;
            Survey::Worth { accused_from: appraisal.uncertainty.map(beyond), appraisal, limit }
        }
        Err(why) => Survey::Worthless(why),
    })
}

pub async fn check<E: Eyes>(
    State(desk): At<E>,
    Path(id): Path<String>,
    Json(draft): Json<Draft>,
) -> Answer {
    let read = desk.read(&id, &draft)?;
    look(&desk, &id, &read.agent)?;
    let camera = read.agent.cameras.iter().find(|camera| camera.id == id);
    let fps = camera.map_or(10.0, |camera| f64::from(camera.analysed_fps.least));
    let size = desk.camera(&id)?.size().unwrap_or(USUAL);
    let acts: Vec<String> = camera
        .iter()
        .flat_map(|camera| &camera.site.rules)
        .map(|rule| rule.act().name().to_owned())
        .collect();
    let body = json!({
        // By which complaints name it.
        "index": read.agent.cameras.iter().position(|camera| camera.id == id),
        "complaints": read.complaints,
        "survey": survey(&draft.drawing, size, fps),
        "acts": acts,
        "changed": read.opened.revision() != draft.revision,
        "unsaved": read.text != read.opened.text,
    });
    Ok(Json(body).into_response())
}

pub async fn save<E: Eyes>(
    State(desk): At<E>,
    Path(id): Path<String>,
    Json(draft): Json<Draft>,
) -> Answer {
    let read = desk.read(&id, &draft)?;
    if read.opened.revision() != draft.revision {
        return Err(DocumentError::Changed(read.opened.path).into());
    }
    if !read.complaints.is_empty() {
        return Err(Refusal::Complaints(read.complaints));
    }
    read.opened.save(&draft.revision, &read.text)?;
    look(&desk, &id, &read.agent)?;
    Ok(Json(Page::from(desk.open(&id)?.0)).into_response())
}

pub async fn try_it<E: Eyes>(
    State(desk): At<E>,
    Path(id): Path<String>,
    Json(draft): Json<Draft>,
) -> Answer {
    let read = desk.read(&id, &draft)?;
    if !read.complaints.is_empty() {
        return Err(Refusal::Complaints(read.complaints));
    }
    let live = desk.camera(&id)?;
    let pool = Arc::clone(live.eyes().ok_or(Refusal::NoEyes)?);
    let tape = live.tape().ok_or(Refusal::NoTraffic)?;
    let drawn = read.agent.cameras.into_iter().find(|camera| camera.id == id);
    let camera = drawn.ok_or(Refusal::NoCamera)?;
    let done: Arc<AtomicUsize> = Arc::default();
    {
        let mut trial = desk.trial();
        if matches!(*trial, Trial::Running { .. }) {
            return Err(Refusal::Busy);
        }
        let (camera, of) = (id.clone(), tape.seen.len());
        *trial = Trial::Running { camera, done: Arc::clone(&done), of };
    }
    let busy = Arc::clone(&desk);
    tokio::spawn(async move {
        let ran =
            tokio::task::spawn_blocking(move || trial::run(&camera, tape, &pool, &done)).await;
        *busy.trial() = match ran {
            Ok(Ok(outcome)) => Trial::Done { camera: id, outcome: Arc::new(outcome) },
            Ok(Err(error)) => Trial::Failed { camera: id, why: error.to_string() },
            Err(_) => Trial::Failed { camera: id, why: Refusal::Broken.to_string() },
        };
    });
    Ok((StatusCode::ACCEPTED, Json(json!({}))).into_response())
}

pub async fn trial<E: Eyes>(State(desk): At<E>, Path(id): Path<String>) -> Answer {
    desk.camera(&id)?;
    let body = match &*desk.trial() {
        Trial::Running { camera, done, of } if *camera == id => {
            json!({ "state": "running", "done": done.load(Ordering::Relaxed), "of": of })
        }
        Trial::Done { camera, outcome } if *camera == id => {
            json!({ "state": "done", "outcome": **outcome })
        }
        Trial::Failed { camera, why } if *camera == id => json!({ "state": "failed", "why": why }),
        _ => json!({ "state": "none" }),
    };
    Ok(Json(body).into_response())
}

pub async fn trial_picture<E: Eyes>(
    State(desk): At<E>,
    Path((id, number)): Path<(String, usize)>,
) -> Answer {
    let found = match &*desk.trial() {
        Trial::Done { camera, outcome } if *camera == id => {
            outcome.accused.get(number).map(|would| would.picture.clone())
        }
        _ => None,
    };
    let bytes = found.ok_or(Refusal::NoPicture)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response())
}

#[cfg(test)]
mod tests {
    use judge::{Doubt, Lawful};

    use super::*;
    use crate::calibrate::shapes::Takes;

    #[test]
    fn every_reason_act_and_word_has_its_words_in_both_languages() {
        let words = words().unwrap();
        for language in ["vi", "en"] {
            let has = |chapter: &str, key: &str| {
                assert!(words[language][chapter][key].is_string(), "{language}: [{chapter}] {key}");
            };
            Lawful::ALL.iter().for_each(|reason| has("lawful", reason.name()));
            Doubt::ALL.iter().for_each(|doubt| has("in_doubt", doubt.name()));
            // One rule is not called by an act of the law, but as its section.
            let acts = judge::rules::ALL.iter().filter(|kind| kind.act != "average_speed");
            acts.for_each(|kind| has("act", kind.act));
            for field in &FIELDS {
                let (Takes::One { of } | Takes::Several { of }) = field.takes else { continue };
                match field.key {
                    "movement" | "controls" | "allowed" | "movements" => {
                        of.iter().for_each(|word| has("movement", word));
                    }
                    "classes" => of.iter().for_each(|word| has("vehicle", word)),
                    "lights" => of.iter().for_each(|word| has("lamp", word)),
                    "act" => of.iter().for_each(|word| has("act", word)),
                    _ => {}
                }
            }
        }
    }
}
