//! What the notice says: the fields of Mẫu 01/73 as texts, from the case, its manifest and the
//! agency's configuration. Where no registry is asked, owner and address are dotted lines.

use bytes::Bytes;
use contract::act::Moment;
use contract::plate::PlateColour;
use contract::{Facts, FileRole, Manifest, MomentRole, VehicleClass};
use time::OffsetDateTime;

use super::NoticeError;
use crate::case::{Case, plate};
use crate::config::{Agency, Office};
use crate::documents::Draft;
use crate::documents::frame::Head;
use crate::registry::Owner;
use crate::web::{Lang, facts, format};

/// The fields of one notice.
#[derive(Debug, Clone)]
pub struct Content {
    pub head: Head,
    /// Unit that operates the device.
    pub detecting_unit: String,
    pub vehicle: String,
    pub plate: String,
    pub plate_colour: String,
    /// Where the registry knows it.
    pub owner: Option<Owner>,
    pub act_at: OffsetDateTime,
    pub act_place: String,
    pub act: String,
    pub citation: String,
    pub appointment: OffsetDateTime,
    pub offices: Vec<Office>,
    /// Days after which a notice without answer leads to a warning.
    pub no_show_days: u32,
    pub device: String,
    pub results: String,
    pub evidence_id: String,
    /// Further evidence of the act: device and id of each package.
    pub further: Vec<String>,
    pub signer: String,
    pub archive: String,
    pub lookup_url: String,
}

/// What the annex shows: everybody but the accused vehicle [`veiled`](super::veiled).
#[derive(Debug, Clone)]
pub struct Pictures {
    /// The moments that show the act, in their order.
    pub moments: Vec<Taken>,
    /// JPEG: the plate.
    pub close_up: Bytes,
    /// The act as other cameras saw it, likewise, each with its camera.
    pub further: Vec<(Bytes, String)>,
}

/// A moment of the act and its picture.
#[derive(Debug, Clone)]
pub struct Taken {
    pub jpeg: Bytes,
    pub at: OffsetDateTime,
    /// What it shows, as the form words it: `trên vạch`.
    pub shows: &'static str,
    /// Whether it dates the act.
    pub main: bool,
}

/// What only the moment of issue knows.
#[derive(Debug)]
pub(super) struct Issue<'a> {
    pub draft: &'a Draft,
    pub at: OffsetDateTime,
    pub appointment: OffsetDateTime,
    pub no_show_days: u32,
    pub signer: &'a str,
    pub owner: Option<&'a Owner>,
    pub public_url: &'a str,
}

impl Content {
    pub(super) fn of(
        case: &Case,
        manifest: &Manifest,
        further: &[&Manifest],
        agency: &Agency,
        issue: Issue<'_>,
    ) -> Result<Self, NoticeError> {
        let plate_text = case.plate.as_deref().ok_or(NoticeError::Incomplete("a plate"))?;
        let law = case.law.as_ref().ok_or(NoticeError::Incomplete("a provision"))?;
        let camera = &manifest.camera;
        let mut act_place = camera.place.clone();
        for part in [camera.km.as_deref(), Some(camera.direction.as_str())].into_iter().flatten() {
            act_place.push_str(", ");
            act_place.push_str(part);
        }
        Ok(Self {
            head: Head::new(
                "Mẫu số 01/73 (Thông tư số 73/2024/TT-BCA)",
                agency,
                issue.draft.shown(&agency.code),
                &issue.draft.code,
                issue.at,
            ),
            detecting_unit: manifest.unit.name.clone(),
            vehicle: vehicle(case.vehicle).into(),
            plate: plate::display(plate_text, case.vehicle, case.plate_colour),
            plate_colour: case.plate_colour.map_or("", plate_colour).into(),
            owner: issue.owner.cloned(),
            act_at: case.act_at,
            act_place,
            act: law.text.clone(),
            citation: law.citation(),
            appointment: issue.appointment,
            offices: agency.offices.clone(),
            no_show_days: issue.no_show_days,
            device: device(manifest),
            results: results(manifest),
            evidence_id: case.evidence_id.clone(),
            further: further
                .iter()
                .map(|it| format!("{}. Mã bằng chứng: {}", device(it), it.evidence_id))
                .collect(),
            signer: issue.signer.into(),
            archive: agency.code.clone(),
            lookup_url: format!("{}/tra-cuu?thong-bao={}", issue.public_url, issue.draft.code),
        })
    }
}

/// The device that saw it, and what allows its use.
fn device(manifest: &Manifest) -> String {
    let camera = &manifest.camera;
    let mut device = format!(
        "Camera {}, thiết bị số {}, phương án lắp đặt số {}",
        camera.id, manifest.device.serial, camera.plan
    );
    if let Some(verification) = &camera.verification {
        device.push_str(&format!(
            ", giấy chứng nhận kiểm định/hiệu chuẩn số {} có hiệu lực đến {}",
            verification.certificate,
            format::day(verification.valid_to)
        ));
    }
    device
}

/// What the device recorded: its pictures, counted, and what it measured.
fn results(manifest: &Manifest) -> String {
    let violation = &manifest.violation;
    let shown = |moment: &Moment| shows(moment.role, &violation.facts);
    let moments: Vec<_> = violation.moments.iter().map(shown).collect();
    let clips = manifest.files.iter().filter(|file| file.role == FileRole::Clip).count();
    format!(
        "{:02} ảnh toàn cảnh ({}), 01 ảnh cận cảnh biển số, {clips:02} đoạn video; {}",
        moments.len(),
        moments.join(", "),
        facts::phrase(&violation.facts, Lang::Vi.words()),
    )
}

/// What a moment's picture shows.
pub(super) fn shows(role: MomentRole, facts: &Facts) -> &'static str {
    let line = matches!(facts, Facts::Signal(_) | Facts::Line(_));
    match role {
        MomentRole::Before if line => "trước vạch",
        MomentRole::On if line => "trên vạch",
        MomentRole::Past if line => "qua vạch",
        MomentRole::Before => "trước khi vi phạm",
        MomentRole::On => "lúc vi phạm",
        MomentRole::Past => "sau khi vi phạm",
        MomentRole::Begin => "lúc bắt đầu",
        MomentRole::During => "trong lúc vi phạm",
        MomentRole::End => "lúc kết thúc",
    }
}

/// The kind of vehicle as a notice names it.
pub fn vehicle(class: VehicleClass) -> &'static str {
    match class {
        VehicleClass::Motorbike => "Xe mô tô, xe gắn máy",
        VehicleClass::Car => "Xe ô tô con",
        VehicleClass::Bus => "Xe ô tô chở người",
        VehicleClass::Truck => "Xe ô tô tải",
    }
}

/// The plate's colours as a notice names them.
pub fn plate_colour(colour: PlateColour) -> &'static str {
    match colour {
        PlateColour::White => "Nền màu trắng, chữ và số màu đen",
        PlateColour::Yellow => "Nền màu vàng, chữ và số màu đen",
        PlateColour::Blue => "Nền màu xanh, chữ và số màu trắng",
        PlateColour::Red => "Nền màu đỏ, chữ và số màu trắng",
    }
}
