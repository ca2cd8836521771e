//! The page of one case: pictures and clip, what the manifest says, whether it verifies, what the
//! officer may do, and what was done.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::delivery_view::DeliveryView;
use super::history::{self, Event};
use super::money::PaymentView;
use super::order::OrderView;
use super::owner::OwnerView;
use super::package_view::{Fact, FurtherView, PackageView};
use super::queue::{self, Due};
use super::referral::ReferralView;
use super::sanction::SanctionView;
use super::session::Officer;
use super::signature::{self, SignatureLine};
use crate::AppState;
use crate::admin::users;
use crate::case::states;
use crate::case::{self, Action, Case, Examination, ExamineError, Reason, plate};
use crate::documents::{self, Document, Kind};
use crate::jobs::{self, Asked};
use crate::proceedings;
use crate::web::problem::page;
use crate::web::{Shell, WebError, Words, facts, format};

#[derive(Debug, Default, Deserialize)]
pub(super) struct After {
    /// What was just done, to say so.
    #[serde(default)]
    pub xong: String,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    shell: Shell,
    w: &'static Words,
    csrf: String,
    id: String,
    short_id: String,
    version: i64,
    state: &'static str,
    state_text: String,
    home: &'static str,
    done: Option<String>,
    due: Due,
    plate: Option<String>,
    plate_raw: String,
    plate_read: Option<String>,
    colour: &'static str,
    corrected_by: Option<String>,
    doubt: bool,
    facts: Vec<Fact>,
    /// The package that carries the case, and further ones.
    pack: PackageView,
    further: Vec<FurtherView>,
    blockers: Vec<String>,
    may_be_on_duty: bool,
    related: Vec<RelatedRow>,
    actions: Actions,
    plate_reasons: Vec<Choice>,
    reject_reasons: Vec<Choice>,
    return_reasons: Vec<Choice>,
    withdraw_reasons: Vec<Choice>,
    hint: Option<String>,
    notice: Option<Document>,
    /// Whether the officer may open it: it may name the owner.
    opens_notice: bool,
    /// The notice is being made, or could not be.
    issuing: Option<Asked>,
    revives: bool,
    owner: Option<OwnerView>,
    sanction: Option<SanctionView>,
    delivery: DeliveryView,
    payment: Option<PaymentView>,
    order: Option<OrderView>,
    referral: Option<ReferralView>,
    notice_number: String,
    signatures: Vec<SignatureLine>,
    events: Vec<Event>,
}

/// Another case that may show the same act.
struct RelatedRow {
    id: String,
    short_id: String,
    facts: String,
    state: &'static str,
    state_text: String,
    /// How it stands to this case, and what leaves that open.
    relation: String,
    /// Whether somebody must say if they are one act.
    same_act: bool,
    /// Who found that they are two acts, when and why.
    distinct: Option<(String, String)>,
    blocks: bool,
}

struct Choice {
    value: &'static str,
    text: String,
}

/// Which forms the page shows.
#[derive(Debug, Default)]
struct Actions {
    take: bool,
    take_over: bool,
    correct_plate: bool,
    distinguish: bool,
    accept: bool,
    reject: bool,
    approve: bool,
    send_back: bool,
    reopen: bool,
    /// Only where a second look was drawn: agreement is asked for then.
    agree_rejection: bool,
    withdraw: bool,
    confirm_withdrawal: bool,
}

impl Actions {
    fn any(&self) -> bool {
        self.take
            || self.correct_plate
            || self.approve
            || self.send_back
            || self.reopen
            || self.agree_rejection
            || self.withdraw
            || self.confirm_withdrawal
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    officer: Officer,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Result<Response, WebError> {
    let lang = officer.lang;
    if !officer.reads_cases() {
        return Err(WebError::Forbidden(lang));
    }
    let examination = case::examine(&state, &id).await.map_err(|error| match error {
        ExamineError::NotFound(_) => WebError::NotFound(lang),
        other => WebError::internal(lang, other),
    })?;
    let w = lang.words();
    let case = &examination.case;
    let reviewer = name(&state, case.reviewer.as_deref()).await?;
    let approver = name(&state, case.approver.as_deref()).await?;
    let actions = actions(&officer, case);
    let found = proceedings::owner::find(&state.store, &case.id).await?;
    let opens_notice = officer.sees_owners() || found.is_none();
    let under_way = jobs::under_way(&state.store, &case.id).await?;
    let sanction =
        SanctionView::of(&state, &officer, &examination, found.as_ref(), &under_way).await?;
    let owner = OwnerView::of(&state, &officer, case, found).await?;
    let must_name = owner.as_ref().is_some_and(|owner| owner.names && owner.owner.is_empty());
    let notice = documents::find(&state.store, Kind::Notice, &case.id).await?;
    let issuing = match case.state {
        case::State::Approved => under_way.to_notice(&case.id),
        _ => None,
    };
    let issuing = issuing.map(|asked| super::jobs::told(asked, w));
    let choices = |action: Action| {
        Reason::for_action(action)
            .into_iter()
            .map(|reason| Choice { value: reason.name(), text: w.named("reason", reason.name()) })
            .collect()
    };
    let tab = match (case.state, officer.approves()) {
        (state, true) if state.accuses() && state != case::State::Notified => "approval",
        (state, _) if state.is_open() && officer.reviews() => "review",
        _ => "all",
    };
    let doubt_below = state.config.cases.min_plate_confidence;
    let template = CasePage {
        shell: officer.shell(&state, tab).await?,
        w,
        csrf: officer.csrf.clone(),
        short_id: short_id(&case.id),
        version: case.version,
        state: case.state.name(),
        state_text: w.named("state", case.state.name()),
        home: officer.home(),
        done: super::sanction::done(w, &after.xong)
            .or(super::order::done(w, &after.xong))
            .or(super::referral::done(w, &after.xong))
            .or(queue::done(w, &after.xong).map(|done| format!("{done} {}", w.t("done.next")))),
        due: queue::due(case, w, state.clock.now()),
        plate: case
            .plate
            .as_deref()
            .map(|number| plate::display(number, case.vehicle, case.plate_colour)),
        plate_raw: case.plate.clone().unwrap_or_default(),
        plate_read: case.plate_read.clone(),
        colour: queue::colour_class(case),
        corrected_by: name(&state, case.plate_by.as_deref()).await?,
        doubt: case.plate_by.is_none()
            && case.confidence.is_none_or(|confidence| confidence < doubt_below),
        facts: facts(&examination, w, reviewer.as_deref(), approver.as_deref()),
        pack: PackageView::of(&case.id, &examination.proof, w),
        further: FurtherView::all(&examination, w),
        blockers: blockers(&examination, w),
        may_be_on_duty: examination.may_be_on_duty(),
        related: related(&state, &examination, w).await?,
        hint: hint(&officer, case, &actions, reviewer.as_deref(), w).filter(|_| !must_name),
        actions,
        plate_reasons: choices(Action::CorrectPlate),
        reject_reasons: choices(Action::Reject),
        return_reasons: choices(Action::Return),
        withdraw_reasons: choices(Action::Withdraw),
        notice_number: notice
            .as_ref()
            .map(|notice| w.with("case.notice_number", "number", format!("{:06}", notice.number)))
            .unwrap_or_default(),
        signatures: signature::lines(&state, case, notice.as_ref(), w).await,
        notice,
        opens_notice,
        issuing,
        revives: officer.revives(),
        owner,
        sanction,
        delivery: DeliveryView::of(&state, &officer, case).await?,
        payment: PaymentView::of(&state, &officer, &case.id).await?,
        order: OrderView::of(&state, &officer, case, &under_way).await?,
        referral: ReferralView::of(&state, &officer, case, &under_way).await?,
        events: history::of_case(&state, &officer, &case.id).await?,
        id: case.id.clone(),
    };
    page(StatusCode::OK, &template)
}

/// The end of an id: enough to tell cases apart on one desk.
pub(super) fn short_id(id: &str) -> String {
    id.get(id.len().saturating_sub(8)..).unwrap_or(id).to_uppercase()
}

/// The blockers of an examination, in words.
pub(super) fn blockers(examination: &Examination, w: &Words) -> Vec<String> {
    examination
        .gate
        .blockers
        .iter()
        .map(|blocker| {
            let text = w.named("blocker", blocker.name());
            match blocker {
                case::Blocker::SameAct(id) => format!("{text} ({})", short_id(id)),
                _ => match blocker.detail() {
                    Some(detail) => format!("{text}: {detail}"),
                    None => text,
                },
            }
        })
        .collect()
}

async fn related(
    state: &AppState,
    examination: &Examination,
    w: &Words,
) -> Result<Vec<RelatedRow>, WebError> {
    let mut rows = Vec::new();
    for related in &examination.related {
        let case = &related.case;
        let gap = (case.act_at - examination.case.act_at).as_seconds_f64();
        let gap = format!("{gap:+.1}").replace('.', ",");
        let plate = case
            .plate
            .as_deref()
            .map(|plate| plate::display(plate, case.vehicle, case.plate_colour));
        let distinct = match &related.distinct {
            None => None,
            Some(finding) => {
                let who = name(state, Some(&finding.decided_by)).await?.unwrap_or_default();
                let text = w
                    .with("case.related_distinct", "name", who)
                    .replace("{time}", &format::second(finding.decided_at));
                Some((text, finding.note.clone()))
            }
        };
        rows.push(RelatedRow {
            id: case.id.clone(),
            short_id: short_id(&case.id),
            facts: [
                plate.unwrap_or_default(),
                w.named("act", case.act.name()),
                format::second(case.act_at),
                w.with("case.related_gap", "seconds", gap),
                case.place.clone(),
                case.camera_id.clone(),
            ]
            .join(" · "),
            state: case.state.name(),
            state_text: w.named("state", case.state.name()),
            relation: relation(related, w),
            same_act: related.same_act(),
            distinct,
            blocks: related.blocks(),
        });
    }
    Ok(rows)
}

/// `Có thể cùng một lần vi phạm; chưa chắc vì: hướng ghi khác nhau`.
fn relation(related: &case::Related, w: &Words) -> String {
    let key = match (related.same_act(), related.same_passage()) {
        (true, _) => "case.related_same_act",
        (false, true) => "case.related_other_act",
        (false, false) => "case.related_other_place",
    };
    let why: Vec<_> =
        related.uncertain().iter().map(|why| w.named("uncertain", why.name())).collect();
    match why[..] {
        [] => w.t(key).to_owned(),
        _ => format!("{}; {}", w.t(key), w.with("case.related_why", "why", why.join(", "))),
    }
}

fn actions(officer: &Officer, case: &Case) -> Actions {
    let allowed = states::allowed(&case.standing(), &officer.actor());
    let may = |action: Action| allowed.contains(&action);
    let in_review = case.state == case::State::InReview;
    let mine = in_review && case.reviewer.as_deref() == Some(officer.user.id.as_str());
    Actions {
        take: may(Action::Take) && !mine,
        take_over: in_review && !mine,
        correct_plate: may(Action::CorrectPlate),
        distinguish: may(Action::Distinguish),
        accept: may(Action::Accept),
        reject: may(Action::Reject),
        approve: may(Action::Approve),
        send_back: may(Action::Return),
        reopen: may(Action::Reopen),
        agree_rejection: may(Action::AgreeRejection) && case.recheck == Some(true),
        withdraw: may(Action::Withdraw),
        confirm_withdrawal: may(Action::ConfirmWithdrawal),
    }
}

fn is_own(officer: &Officer, case: &Case) -> bool {
    let me = Some(officer.user.id.as_str());
    case.reviewer.as_deref() == me || case.plate_by.as_deref() == me
}

fn hint(
    officer: &Officer,
    case: &Case,
    actions: &Actions,
    reviewer: Option<&str>,
    w: &Words,
) -> Option<String> {
    if actions.take_over {
        return Some(w.with("case.taken", "name", reviewer.unwrap_or("–")));
    }
    if actions.any() {
        return None;
    }
    let waits = matches!(case.state, case::State::Accepted | case::State::Approved);
    let key = if waits && officer.approves() && is_own(officer, case) {
        "case.own_case"
    } else {
        "case.no_action"
    };
    Some(w.t(key).to_owned())
}

pub(super) async fn name(state: &AppState, id: Option<&str>) -> Result<Option<String>, WebError> {
    match id {
        Some(id) => Ok(users::find(&state.store, id).await?.map(|user| user.name)),
        None => Ok(None),
    }
}

fn facts(
    examination: &Examination,
    w: &Words,
    reviewer: Option<&str>,
    approver: Option<&str>,
) -> Vec<Fact> {
    let case = &examination.case;
    let mut facts = Vec::new();
    let mut add = |key: &str, value: String| {
        facts.push(Fact { name: w.named("case", key), value });
    };
    add("act", w.named("act", case.act.name()));
    add("time", format::second(case.act_at));
    add("place", case.place.clone());
    let seen = |proof: &case::Proof| Some(proof.manifest.as_ref()?.violation.act.clone());
    let mut besides: Vec<_> = examination.further.iter().filter_map(seen).collect();
    besides.retain(|act| *act != case.act);
    besides.sort();
    besides.dedup();
    for act in besides {
        add("included", w.named("act", act.name()));
    }
    if let Some(manifest) = &examination.proof.manifest {
        let violation = &manifest.violation;
        add("direction", manifest.camera.direction.clone());
        add("vehicle", w.named("vehicle", case.vehicle.name()));
        for (key, value) in facts::lines(&violation.facts, w) {
            add(key, value);
        }
    }
    match &case.law {
        Some(law) => {
            add("law", format!("{}; {}", law.text, law.citation()));
            let fine = w
                .with("case.fine_value", "min", format::amount(law.fine_min))
                .replace("{max}", &format::amount(law.fine_max));
            add("fine", fine);
            add("points", law.points.to_string());
            add("signer", law.signer.clone());
        }
        None => add("law", w.t("case.law_missing").to_owned()),
    }
    add("received", format::second(case.received_at));
    let at = |at: Option<time::OffsetDateTime>| {
        at.map(|at| format!(", {}", format::second(at))).unwrap_or_default()
    };
    if let Some(reviewer) = reviewer {
        add("reviewer", format!("{reviewer}{}", at(case.reviewed_at)));
    }
    if let Some(approver) = approver {
        add("approver", format!("{approver}{}", at(case.approved_at)));
    }
    if let Some(reason) = case.reason {
        let mut text = w.named("reason", reason.name());
        if let Some(note) = &case.note {
            text.push_str(&format!(": {note}"));
        }
        add("last_reason", text);
    }
    facts
}
