//! What the public may know of a case: the nine fields, of cases whose notice is out.

use contract::plate::{PlateNumber, Typed};
use contract::{Manifest, VehicleClass};
use serde::Serialize;
use time::Duration;
use utoipa::ToSchema;

use super::captcha::{self, Answer, Solved};
use crate::AppState;
use crate::case::{self, State, plate};
use crate::documents;
use crate::notice;
use crate::proceedings::{payment, referral};
use crate::store::StoreError;
use crate::web::address::Client;
use crate::web::attempts::Limit;
use crate::web::{Lang, format};

/// Violations on one page.
const PAGE_SIZE: u32 = 20;

/// What a visitor asks.
#[derive(Debug)]
pub(super) struct Question {
    /// As typed.
    pub plate: String,
    /// The form's: 1 ô tô, 2 xe máy, 3 xe máy điện.
    pub vehicle_type: u8,
    /// From 1.
    pub page: u32,
    pub answer: Answer,
}

/// One page of a plate's violations, newest first.
#[derive(Debug)]
pub(super) struct Found {
    pub violations: Vec<PublicViolation>,
    pub page: u32,
    pub pages: u32,
    pub total: u64,
    /// The number in its layout that has Đ where this has D, should the plate show that.
    pub stroked: Option<String>,
}

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookupError {
    #[error("too many lookups from this address: wait a minute")]
    TooMany,
    #[error("vehicle_type must be 1 (car), 2 (motorbike) or 3 (electric motorbike)")]
    VehicleType,
    #[error("plate is not a number that such a vehicle carries")]
    Plate,
    /// A fine of another vehicle must not be shown: the written layout says whose number it is.
    #[error("plate is written like {}, {number}", if *.two_wheeled {
        "a motorbike's number"
    } else {
        "the number of a vehicle with more than two wheels"
    })]
    OtherVehicle { number: String, two_wheeled: bool },
    #[error("the challenge is wrong, expired or used: get a new one")]
    Captcha,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A violation as the public sees it: nine fields and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PublicViolation {
    /// Biển kiểm soát.
    pub plate: String,
    /// Màu biển.
    pub plate_colour: String,
    /// Loại phương tiện.
    pub vehicle_type: String,
    /// Thời gian vi phạm, `HH:MM, dd/mm/yyyy`.
    pub time: String,
    /// Địa điểm vi phạm.
    pub place: String,
    /// Hành vi vi phạm.
    pub act: String,
    /// Trạng thái: Chưa xử phạt, Đã xử phạt.
    pub status: String,
    /// Đơn vị phát hiện vi phạm.
    pub detecting_unit: String,
    /// Nơi giải quyết vụ việc.
    pub resolving_places: Vec<Place>,
}

/// Where a case may be settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    pub name: String,
    pub address: String,
    pub phone: String,
}

impl LookupError {
    /// The problem's code.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::VehicleType => "vehicle_type",
            Self::Plate | Self::OtherVehicle { .. } => "plate",
            Self::Captcha => "captcha",
            Self::Store(_) => "internal",
        }
    }
}

/// The number a visitor typed, as written for a vehicle of the type. Cameras cannot tell an
/// electric motorbike from another: types 2 and 3 find either.
fn number(typed: &str, two_wheeled: bool) -> Result<PlateNumber, LookupError> {
    let example = if two_wheeled { VehicleClass::Motorbike } else { VehicleClass::Car };
    match plate::typed(typed, example, None) {
        Typed::Number(number) => Ok(number),
        Typed::OtherVehicle(other) => {
            let two_wheeled = other.is_two_wheeled().unwrap_or(!two_wheeled);
            Err(LookupError::OtherVehicle { number: other.display(), two_wheeled })
        }
        Typed::Ambiguous(_) | Typed::NoNumber => Err(LookupError::Plate),
    }
}

/// How often one client may ask.
pub(super) fn limit(state: &AppState) -> Limit {
    Limit {
        name: "lookup",
        count: state.config.lookup.requests_per_minute,
        window: Duration::MINUTE,
    }
}

/// Answers a question: the captcha first, then what was typed; only then is the captcha used up.
pub(super) async fn answer(
    state: &AppState,
    client: Client,
    question: &Question,
) -> Result<Found, LookupError> {
    let solved = captcha::check(state, &question.answer).await?;
    if solved.is_none() {
        admit(state, client, question, None).await?;
    }
    let two_wheeled = match question.vehicle_type {
        1 => false,
        2 | 3 => true,
        _ => return Err(LookupError::VehicleType),
    };
    let number = number(&question.plate, two_wheeled)?;
    admit(state, client, question, solved).await?;
    let (found, manifests) =
        case::published(&state.store, number.text(), two_wheeled, question.page, PAGE_SIZE).await?;
    let ids: Vec<&str> = found.cases.iter().map(|case| case.id.as_str()).collect();
    let mut settled = payment::settled_among(&state.store, &ids).await?;
    settled.append(&mut referral::settled_among(&state.store, &ids).await?);
    let mut violations = Vec::with_capacity(manifests.len());
    for (case, manifest) in found.cases.iter().zip(&manifests) {
        let manifest = Manifest::parse(manifest.as_bytes())
            .map_err(|error| StoreError::corrupt("manifest", error))?;
        violations.push(public(state, case, &manifest, settled.contains(&case.id)));
    }
    Ok(Found {
        violations,
        page: found.number,
        pages: found.pages,
        total: found.total,
        stroked: contract::plate::stroked_twin(&number).map(|twin| twin.display()),
    })
}

/// Lets a visitor in who solved a challenge, and counts everyone, in one transaction.
async fn admit(
    state: &AppState,
    client: Client,
    question: &Question,
    solved: Option<Solved>,
) -> Result<(), LookupError> {
    let (limit, now) = (limit(state), state.clock.now());
    let mut tx = state.store.begin_unflushed().await?;
    let cost = question.answer.cost(limit.count);
    if !limit.take_many(&mut tx, &client.group(), now, cost).await? {
        return Err(LookupError::TooMany);
    }
    let fresh = match solved {
        Some(solved) => solved.use_up(&mut tx, now).await?,
        None => false,
    };
    tx.commit().await.map_err(StoreError::from)?;
    if fresh { Ok(()) } else { Err(LookupError::Captcha) }
}

/// Published values are Vietnamese in every language, as the law's words are.
fn public(
    state: &AppState,
    case: &case::Case,
    manifest: &Manifest,
    is_settled: bool,
) -> PublicViolation {
    let w = Lang::Vi.words();
    let agency = &state.config.agency;
    PublicViolation {
        plate: case.plate.as_deref().map_or_else(String::new, |number| {
            plate::display(number, case.vehicle, case.plate_colour)
        }),
        plate_colour: case.plate_colour.map_or("", notice::plate_colour).to_owned(),
        vehicle_type: w.named("lookup", &format!("type_{}", case.vehicle_type)),
        time: format::minute(case.act_at),
        place: case.place.clone(),
        act: case.law.as_ref().map(|law| law.text.clone()).unwrap_or_default(),
        status: status(case.state, is_settled).map_or_else(String::new, |key| w.t(key).to_owned()),
        detecting_unit: manifest.unit.name.clone(),
        resolving_places: agency
            .offices
            .iter()
            .map(|office| Place {
                name: office.name.clone(),
                address: office.address.clone(),
                phone: office.phone.clone(),
            })
            .collect(),
    }
}

/// The word for where a case stands; none for cases that are not public.
const fn status(state: State, is_settled: bool) -> Option<&'static str> {
    match state {
        State::Notified if is_settled => Some("field.status_settled"),
        State::Notified => Some("field.status_open"),
        State::Withdrawing => Some("field.status_withdrawing"),
        State::Received
        | State::InReview
        | State::Accepted
        | State::Rejected
        | State::Returned
        | State::Approved
        | State::Withdrawn
        | State::Expired => None,
    }
}

/// What a notice's code leads to.
pub(super) enum OfNotice {
    About { plate: String, vehicle_type: u8 },
    Withdrawn,
}

/// What is behind a notice's code, if anything.
pub(super) async fn of_notice(
    state: &AppState,
    code: &str,
) -> Result<Option<OfNotice>, StoreError> {
    if code.len() > 32 {
        return Ok(None);
    }
    let Some(notice) = documents::find_by_code(&state.store, code).await? else { return Ok(None) };
    let case = case::find(&state.store, &notice.case_id).await?;
    Ok(case.and_then(|case| {
        if case.state == State::Withdrawn {
            return Some(OfNotice::Withdrawn);
        }
        let number = case.plate.as_deref()?;
        let shown = plate::display(number, case.vehicle, case.plate_colour);
        Some(OfNotice::About { plate: shown, vehicle_type: case.vehicle_type })
    }))
}
