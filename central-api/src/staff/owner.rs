//! The owner of a case's vehicle: the clerks' worklist, what a case's page shows, and the form by
//! which a clerk names the owner. Only those see it whose work it is.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::case_page::{After, short_id};
use super::session::Officer;
use crate::AppState;
use crate::case::{self, name_of, plate};
use crate::proceedings::owner::{self, Doubt, NameError, Named, Record};
use crate::registry::{Owner, OwnerKind};
use crate::store::StoreError;
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, format};

/// Rows of the worklist.
const MOST: i64 = 200;

/// The owner as a case's page shows it.
pub(super) struct OwnerView {
    pub state: String,
    pub doubts: Vec<String>,
    /// Cases of the number that were too far away: their id, and how far in words.
    pub elsewhere: Vec<(String, String)>,
    /// Of the owner, once known.
    pub owner: Vec<(String, String)>,
    /// What the registry has, to be held against the pictures.
    pub registered: Vec<(String, String)>,
    pub named: Option<String>,
    pub note: Option<String>,
    pub version: i64,
    /// Whether this officer may name the owner now.
    pub names: bool,
    pub is_registered: bool,
}

impl OwnerView {
    /// None where the officer has no business with it, or nobody has asked yet.
    pub async fn of(
        state: &AppState,
        officer: &Officer,
        case: &case::Case,
        found: Option<Record>,
    ) -> Result<Option<Self>, WebError> {
        let Some(record) = found.filter(|_| officer.sees_owners()) else { return Ok(None) };
        let w = officer.lang.words();
        let named = super::case_page::name(state, record.named_by.as_deref()).await?;
        let is_open =
            case.state == case::State::Approved && case.plate.as_ref() == Some(&record.plate);
        Ok(Some(Self {
            state: w.named("owner_state", &name_of(&record.state)),
            doubts: record.doubts.iter().map(|it| w.named("doubt", it.name())).collect(),
            elsewhere: elsewhere(state, case, &record, w).await?,
            owner: record.owner.as_ref().map(|owner| person(owner, w)).unwrap_or_default(),
            registered: registered(&record, w),
            named: named.map(|name| w.with("owner.named_by", "name", name)),
            note: record.note.clone(),
            version: record.version,
            names: is_open && officer.names_owners(),
            is_registered: record.registration.is_some(),
        }))
    }
}

async fn elsewhere(
    state: &AppState,
    case: &case::Case,
    record: &Record,
    w: &Words,
) -> Result<Vec<(String, String)>, WebError> {
    if !record.doubts.contains(&Doubt::Elsewhere) {
        return Ok(Vec::new());
    }
    let found = case::elsewhere(&state.store, case, &state.terms().limits).await?;
    let told = found.into_iter().map(|it| {
        let (km, minutes) = (it.km.round(), it.apart.whole_minutes());
        let far = format!("{} · {km} km · {minutes} {}", short_id(&it.case), w.t("owner.minutes"));
        (it.case, far)
    });
    Ok(told.collect())
}

pub(super) fn person(owner: &Owner, w: &Words) -> Vec<(String, String)> {
    let text = |key: &str| w.t(key).to_owned();
    vec![
        (text("owner.kind"), w.named("owner_kind", &name_of(&owner.kind))),
        (text("owner.name"), owner.name.clone()),
        (text("owner.id_number"), owner.id_number.clone()),
        (text("owner.address"), owner.address.clone()),
    ]
}

fn registered(record: &Record, w: &Words) -> Vec<(String, String)> {
    let Some(found) = &record.registration else { return Vec::new() };
    let colour = found.plate_colour.map(|colour| w.named("colour", &name_of(&colour)));
    let mut rows = vec![
        (w.t("owner.vehicle").to_owned(), w.named("vehicle", found.vehicle.name())),
        (w.t("owner.make").to_owned(), found.make.clone()),
        (w.t("owner.paint").to_owned(), found.paint.clone()),
        (w.t("owner.colour").to_owned(), colour.unwrap_or_default()),
        (w.t("owner.status").to_owned(), w.named("registration", &name_of(&found.status))),
    ];
    if record.owner.is_none() {
        rows.extend(person(&found.owner, w));
    }
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

#[derive(Template)]
#[template(path = "owners.html")]
struct OwnersPage {
    shell: Shell,
    w: &'static Words,
    done: Option<&'static str>,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    short_id: String,
    plate: String,
    doubts: String,
    since: String,
}

/// `GET /chu-xe`: the cases whose owner a clerk must look for.
pub(super) async fn list(
    State(state): State<AppState>,
    officer: Officer,
    Query(after): Query<After>,
) -> Result<Response, WebError> {
    if !officer.sees_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let w = officer.lang.words();
    let mut rows = Vec::new();
    for record in owner::waiting(&state.store, MOST).await? {
        let Some(case) = case::find(&state.store, &record.case_id).await? else { continue };
        let doubts: Vec<_> = record.doubts.iter().map(|it| w.named("doubt", it.name())).collect();
        rows.push(Row {
            short_id: short_id(&case.id),
            plate: plate::display(&record.plate, case.vehicle, case.plate_colour),
            doubts: doubts.join("; "),
            since: format::minute(record.asked_at),
            id: case.id,
        });
    }
    let done = (after.xong == "named").then(|| w.t("owner.done"));
    let template = OwnersPage { shell: officer.shell(&state, "owners").await?, w, done, rows };
    page(StatusCode::OK, &template)
}

#[derive(Debug, Deserialize)]
pub(super) struct Naming {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    version: i64,
    /// `registered` or `other`.
    #[serde(default)]
    who: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    id_number: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    note: String,
}

/// `POST /ho-so/{id}/chu-xe`.
pub(super) async fn name(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Form(form): Form<Naming>,
) -> Result<Response, WebError> {
    officer.check_csrf(&form.csrf)?;
    if !officer.names_owners() {
        return Err(WebError::Forbidden(officer.lang));
    }
    let named = match form.who.as_str() {
        "registered" => Named::AsRegistered,
        _ => Named::Other(Owner {
            kind: match form.kind.as_str() {
                "organisation" => OwnerKind::Organisation,
                _ => OwnerKind::Person,
            },
            name: form.name,
            id_number: form.id_number,
            address: form.address,
        }),
    };
    let by = (officer.user.id.as_str(), officer.user.login.as_str());
    match owner::name(&state, &id, form.version, by, named, &form.note).await {
        Ok(_) => Ok(Redirect::to("/chu-xe?xong=named").into_response()),
        Err(error) => Err(explain(error, &officer, &id)),
    }
}

fn explain(error: NameError, officer: &Officer, id: &str) -> WebError {
    let w = officer.lang.words();
    const UNFIT: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let (status, line) = match error {
        NameError::NotFound(_) => return WebError::NotFound(officer.lang),
        NameError::Store(error) => return StoreError::into(error),
        NameError::Conflict => (StatusCode::CONFLICT, w.t("error.conflict").to_owned()),
        NameError::NotPossible => (StatusCode::CONFLICT, w.t("error.not_possible").to_owned()),
        NameError::NotRegistered => (UNFIT, w.t("owner.not_registered").to_owned()),
        NameError::NoteMissing => (UNFIT, w.t("owner.note_missing").to_owned()),
        NameError::Field(field) => {
            let field = w.t(&format!("owner.{field}")).to_owned();
            (UNFIT, w.with("owner.field_wrong", "field", field))
        }
    };
    officer.refused(status, vec![line], format!("/ho-so/{id}"))
}
