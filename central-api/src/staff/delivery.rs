//! The desk of outgoing post: what waits to be sent, batches of letters, and what the post office says of
//! them. Only those see it whose work is with owners; only clerks print and open the letters.

use askama::Template;
use axum::extract::{Form, Multipart, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::case_page::{After, short_id};
use super::session::Officer;
use crate::AppState;
use crate::audit::{self, Entry};
use crate::case::{self, name_of, plate};
use crate::evidence::EvidenceError;
use crate::proceedings::delivery::{
    self, Batch, BatchError, BatchState, ImportError, Letter, MOST_FILE, Paper, Progress,
};
use crate::store::StoreError;
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

/// Batches, and documents of each list, that the page shows.
const MOST: i64 = 50;

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    shell: Shell,
    w: &'static Words,
    csrf: String,
    done: Option<String>,
    /// Whether the officer prints and imports.
    posts: bool,
    most: u32,
    papers: Vec<PaperRow>,
    batches: Vec<BatchRow>,
    lists: Vec<List>,
}

/// How many papers of a kind wait for what.
struct PaperRow {
    name: &'static str,
    text: String,
    waiting: u64,
    again: u64,
    held: u64,
    on_way: u64,
}

struct BatchRow {
    id: String,
    number: i64,
    state: String,
    state_text: String,
    letters: i64,
    made: String,
    posted: String,
}

/// Documents that a clerk must see to.
struct List {
    name: &'static str,
    title: String,
    held: bool,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    code: String,
    short_id: String,
    plate: String,
    paper: String,
    why: String,
}

/// `GET /giao-nhan`.
pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
    Query(after): Query<After>,
) -> Result<Response, WebError> {
    if !officer.sees_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let store = &state.store;
    let mut papers = Vec::new();
    for paper in Paper::ALL {
        let counts = delivery::count(store, paper).await?;
        papers.push(PaperRow {
            name: paper.name(),
            text: w.named("paper", paper.name()),
            waiting: counts.waiting,
            again: counts.again,
            held: counts.held,
            on_way: counts.on_way,
        });
    }
    let mut batches = Vec::new();
    for batch in delivery::batches(store, MOST).await? {
        let by = super::case_page::name(&state, Some(&batch.made_by)).await?.unwrap_or_default();
        batches.push(BatchRow {
            number: batch.number,
            state_text: w.named("batch_state", &name_of(&batch.state)),
            state: name_of(&batch.state),
            letters: batch.letters,
            made: format!("{}, {by}", format::minute(batch.made_at)),
            posted: batch.posted_at.map(format::minute).unwrap_or_default(),
            id: batch.id,
        });
    }
    let mut lists = Vec::new();
    for (progress, name) in [(Progress::Again, "again"), (Progress::Held, "held")] {
        let rows = rows(&state, w, progress).await?;
        if !rows.is_empty() {
            let title = w.named("post", &format!("{name}_title"));
            lists.push(List { name, title, held: progress == Progress::Held, rows });
        }
    }
    let template = DeliveriesPage {
        shell: officer.shell(&state, "post").await?,
        w,
        csrf: officer.csrf.clone(),
        done: done(w, &after.xong),
        posts: officer.sends_papers(),
        most: state.config.post.letters,
        papers,
        batches,
        lists,
    };
    page(StatusCode::OK, &template)
}

/// What was just done: `sent.40.2` or `imported.100.7`.
fn done(w: &Words, after: &str) -> Option<String> {
    let mut parts = after.split('.');
    let name = parts.next()?;
    if !["posted", "imported", "released"].contains(&name) {
        return None;
    }
    let [one, other] = [parts.next(), parts.next()].map(|it| it.and_then(|it| it.parse().ok()));
    let (one, other): (u32, u32) = (one.unwrap_or(0), other.unwrap_or(0));
    let text = w.named("post", &format!("done_{name}"));
    Some(text.replace("{one}", &one.to_string()).replace("{other}", &other.to_string()))
}

async fn rows(state: &AppState, w: &Words, progress: Progress) -> Result<Vec<Row>, WebError> {
    let mut rows = Vec::new();
    let mut all = Vec::new();
    for paper in Paper::ALL {
        all.extend(delivery::list(&state.store, paper, progress, (i64::MIN, ""), MOST).await?);
    }
    for found in all {
        let Some(case) = case::find(&state.store, &found.case_id).await? else { continue };
        let why = match &found.why {
            Some(why) => w.named("post_held", why),
            None => w
                .with("post.returned", "count", found.returned)
                .replace("{day}", &format::date(found.runs_from)),
        };
        rows.push(Row {
            short_id: short_id(&case.id),
            plate: shown_plate(&case),
            paper: w.named("paper", found.paper.name()),
            why,
            id: case.id,
            code: found.code,
        });
    }
    Ok(rows)
}

pub(super) fn shown_plate(case: &case::Case) -> String {
    let number = case.plate.as_deref();
    number.map_or("–".into(), |it| plate::display(it, case.vehicle, case.plate_colour))
}

#[derive(Debug, Deserialize)]
pub(super) struct Printing {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    most: u32,
    /// One kind of paper; every kind where it is none.
    #[serde(default)]
    kind: String,
}

/// `POST /giao-nhan/in`: a batch of what waits.
pub(super) async fn make(
    State(state): State<AppState>,
    officer: Officer,
    Form(form): Form<Printing>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.sends_papers() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let most = form.most.clamp(1, state.config.post.letters);
    let by = (officer.user.id.as_str(), officer.user.login.as_str());
    let which = Paper::parse(&form.kind);
    let batch = delivery::make(&state, by, which, most).await.map_err(|e| explain(e, &officer))?;
    Ok(Redirect::to(&format!("/giao-nhan/{}", batch.id)).into_response())
}

#[derive(Template)]
#[template(path = "batch.html")]
struct BatchPage {
    shell: Shell,
    w: &'static Words,
    csrf: String,
    done: Option<String>,
    id: String,
    number: i64,
    state: String,
    state_text: String,
    made: String,
    is_printing: bool,
    /// Whether there is something to be printed.
    files: bool,
    posts: bool,
    can_post: bool,
    sheets: String,
    /// How many letters of which kind.
    holds: String,
    /// Letters that are printed and must not go out.
    taken_out: String,
    letters: Vec<LetterRow>,
}

struct LetterRow {
    reference: String,
    case: String,
    plate: String,
    paper: String,
    state: String,
    state_text: String,
    /// Why it does not go out, or should not have.
    stay: String,
    tracking: String,
}

/// `GET /giao-nhan/{id}`.
pub(super) async fn show(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    if !officer.sees_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let batch = found(&state, &officer, &id).await?;
    let mut rows = Vec::new();
    let mut taken_out = Vec::new();
    let letters = delivery::letters(&state.store, &batch).await?;
    let holds = holds(&letters, w);
    for letter in letters {
        let Some(case) = case::find(&state.store, &letter.case_id).await? else { continue };
        let in_house = matches!(letter.state, delivery::State::Printed | delivery::State::Void);
        let stays = in_house && letter.is_printed && letter.stay.is_some();
        if stays && batch.state == BatchState::Printed {
            taken_out.push(letter.reference.clone());
        }
        rows.push(row(letter, &case, w));
    }
    let by = super::case_page::name(&state, Some(&batch.made_by)).await?.unwrap_or_default();
    let template = BatchPage {
        shell: officer.shell(&state, "post").await?,
        w,
        csrf: officer.csrf.clone(),
        done: None,
        number: batch.number,
        state: name_of(&batch.state),
        state_text: w.named("batch_state", &name_of(&batch.state)),
        made: format!("{}, {by}", format::minute(batch.made_at)),
        is_printing: batch.state == BatchState::Printing,
        files: batch.pdf_sha256.is_some(),
        posts: officer.sends_papers(),
        can_post: batch.state == BatchState::Printed,
        sheets: w
            .with("post.sheets", "letters", batch.letters)
            .replace("{pages}", &batch.pages.to_string()),
        holds,
        taken_out: taken_out.join(", "),
        letters: rows,
        id: batch.id,
    };
    page(StatusCode::OK, &template)
}

/// `2 quyết định xử phạt, 1 thông báo vi phạm`.
fn holds(letters: &[Letter], w: &Words) -> String {
    let of = |paper: Paper| letters.iter().filter(move |it| it.paper == paper).count();
    let some = Paper::ALL.into_iter().map(|paper| (paper, of(paper))).filter(|(_, n)| *n > 0);
    let text =
        some.map(|(paper, n)| w.named("paper_count", paper.name()).replace("{n}", &n.to_string()));
    text.collect::<Vec<_>>().join(", ")
}

fn row(letter: Letter, case: &case::Case, w: &Words) -> LetterRow {
    let state = name_of(&letter.state);
    let stay = match letter.stay {
        // Of what is void its state says it; of what was printed too late to be left out, the pile.
        None => String::new(),
        Some(_) if letter.state == delivery::State::Void => String::new(),
        Some(why) if letter.state == delivery::State::Printed => {
            format!("{}: {}", w.t("post.stays"), w.named("post_stay", why.name()))
        }
        Some(why) => w.named("post_stay", why.name()),
    };
    LetterRow {
        reference: letter.reference,
        case: letter.case_id,
        plate: shown_plate(case),
        paper: w.named("paper", letter.paper.name()),
        state_text: w.named("delivery_state", &state),
        state,
        stay,
        tracking: letter.tracking.unwrap_or_default(),
    }
}

async fn found(state: &AppState, officer: &Officer, id: &str) -> Result<Batch, WebError> {
    let found = delivery::batch(&state.store, id).await?;
    found.ok_or(WebError::NotFound(officer.lang))
}

#[derive(Debug, Deserialize)]
pub(super) struct Posting {
    #[serde(default)]
    csrf: String,
}

/// `POST /giao-nhan/{id}/gui`: the post office has it.
pub(super) async fn post(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Posting>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.sends_papers() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let by = (officer.user.id.as_str(), officer.user.login.as_str());
    let (out, stayed) =
        delivery::post(&state, &id, by).await.map_err(|error| explain(error, &officer))?;
    Ok(Redirect::to(&format!("/giao-nhan?xong=posted.{out}.{stayed}")).into_response())
}

/// `GET /giao-nhan/{id}/thu.pdf`.
pub(super) async fn pdf(
    state: State<AppState>,
    officer: Officer,
    id: Path<String>,
) -> Result<Response, WebError> {
    file(state.0, officer, id.0, File::Letters).await
}

/// `GET /giao-nhan/{id}/danh-sach.csv`.
pub(super) async fn csv(
    state: State<AppState>,
    officer: Officer,
    id: Path<String>,
) -> Result<Response, WebError> {
    file(state.0, officer, id.0, File::List).await
}

#[derive(Clone, Copy)]
enum File {
    Letters,
    List,
}

/// A file of a batch, which names many owners: for clerks alone, and each opening is on record.
async fn file(
    state: AppState,
    officer: Officer,
    id: String,
    which: File,
) -> Result<Response, WebError> {
    if !officer.sends_papers() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let batch = found(&state, &officer, &id).await?;
    let missing = || WebError::NotFound(officer.lang);
    let (sha256, media_type, extension) = match which {
        File::Letters => (&batch.pdf_sha256, "application/pdf", "pdf"),
        File::List => (&batch.csv_sha256, "text/csv; charset=utf-8", "csv"),
    };
    let sha256 = sha256.as_ref().ok_or_else(missing)?;
    let name = match which {
        File::Letters => delivery::pdf_name(sha256),
        File::List => delivery::csv_name(sha256),
    };
    let failed = |error: EvidenceError| WebError::internal(officer.lang, error);
    let content = state.evidence.read_batch_file(&batch.id, &name).await.map_err(failed)?;
    if contract::Digest::of(&content).to_string() != *sha256 {
        let told = "a batch's file does not have the digest on record";
        return Err(WebError::internal(officer.lang, told));
    }
    let mut tx = state.store.begin().await?;
    let entry = Entry {
        at: state.clock.now(),
        actor: &officer.actor().audited(),
        action: "batch.opened",
        subject_kind: "batch",
        subject_id: &batch.id,
        detail: serde_json::json!({ "file": extension, "sha256": sha256 }),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await.map_err(StoreError::from)?;
    let disposition = format!("attachment; filename=\"dot-{:04}.{extension}\"", batch.number);
    let fields =
        [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((fields, content).into_response())
}

/// `POST /giao-nhan/buu-gui`: what the post office says.
pub(super) async fn import(
    State(state): State<AppState>,
    officer: Officer,
    mut form: Multipart,
) -> Result<Response, WebError> {
    let broken = || WebError::Message {
        lang: officer.lang,
        status: StatusCode::BAD_REQUEST,
        title: "error.bad_request_title",
        lines: vec![officer.lang.words().t("post.file_broken").to_owned()],
        back: "/giao-nhan".into(),
    };
    let (mut csrf, mut file) = (String::new(), None);
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        match field.name() {
            Some("csrf") => csrf = field.text().await.map_err(|_| broken())?,
            Some("file") => file = Some(field.bytes().await.map_err(|_| broken())?),
            _ => {}
        }
    }
    officer.check_csrf(&csrf)?;
    if !officer.sends_papers() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let file = file.filter(|file| !file.is_empty()).ok_or_else(broken)?;
    let (actor, now) = (officer.actor().audited(), state.clock.now());
    match delivery::import(&state.store, &state.law, &file, &actor, now).await {
        Ok(taken) => {
            let to = format!("/giao-nhan?xong=imported.{}.{}", taken.lines, taken.changed);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => Err(explain_import(error, &officer)),
    }
}

/// Most bytes of a request with a file, its form's fields included.
pub(super) const MOST_REQUEST: usize = MOST_FILE + (64 << 10);

fn explain_import(error: ImportError, officer: &Officer) -> WebError {
    let w = officer.lang.words();
    let (status, lines) = match error {
        ImportError::Store(error) => return error.into(),
        ImportError::Conflict => (StatusCode::CONFLICT, vec![w.t("post.file_conflict").to_owned()]),
        ImportError::Empty => {
            (StatusCode::UNPROCESSABLE_ENTITY, vec![w.t("post.file_empty").to_owned()])
        }
        ImportError::TooLong => {
            (StatusCode::UNPROCESSABLE_ENTITY, vec![w.t("post.file_long").to_owned()])
        }
        ImportError::Open(crate::csv_file::OpenError::Columns(lacking)) => {
            let told = w.with("post.file_columns", "columns", lacking.join(", "));
            (StatusCode::UNPROCESSABLE_ENTITY, vec![told])
        }
        ImportError::Open(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, vec![w.t("post.file_broken").to_owned()])
        }
        ImportError::Lines { count, named } => {
            let mut lines = vec![w.with("post.file_wrong", "count", count)];
            lines.extend(named.iter().map(|(at, wrong)| {
                let what = w.named("post_wrong", wrong.name());
                w.with("post.file_line", "line", at).replace("{what}", &what)
            }));
            (StatusCode::UNPROCESSABLE_ENTITY, lines)
        }
    };
    officer.refused(status, lines, "/giao-nhan")
}

fn explain(error: BatchError, officer: &Officer) -> WebError {
    let w = officer.lang.words();
    let (status, line) = match error {
        BatchError::Store(error) => return error.into(),
        BatchError::NotFound(_) => return WebError::NotFound(officer.lang),
        BatchError::Nothing => (StatusCode::CONFLICT, "post.nothing"),
        BatchError::NotPossible => (StatusCode::CONFLICT, "post.not_possible"),
    };
    officer.refused(status, vec![w.t(line).to_owned()], "/giao-nhan")
}
