//! The form of the files in `law/`.

use serde::Deserialize;

/// Which article's vehicles a provision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Car,
    Motorbike,
}

impl From<contract::VehicleClass> for Kind {
    fn from(class: contract::VehicleClass) -> Self {
        if class.is_two_wheeled() { Self::Motorbike } else { Self::Car }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecreeFile {
    pub number: String,
    pub title: String,
    pub issued: Option<String>,
    pub effective: String,
    pub amends: Option<String>,
    pub source: String,
    #[serde(default)]
    pub provision: Vec<ProvisionRow>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProvisionRow {
    pub act: String,
    /// The act of which this is one bracket, and by how many whole units its limit was exceeded.
    pub of: Option<String>,
    pub excess: Option<[i64; 2]>,
    pub on: Kind,
    pub article: u32,
    pub clause: u32,
    pub point: Option<String>,
    pub fine: [i64; 2],
    pub points: u32,
    pub text: String,
}

impl ProvisionRow {
    /// Whether it is the provision for `act`, its limit exceeded by `excess` whole units.
    pub fn covers(&self, act: &str, excess: Option<i64>) -> bool {
        match (&self.of, self.excess, excess) {
            (Some(of), Some([from, to]), Some(excess)) if of == act => {
                (from..=to).contains(&excess)
            }
            _ => self.act == act,
        }
    }

    /// `6.9.b`: Điều 6 khoản 9 điểm b.
    pub fn key(&self) -> String {
        key(self.article, self.clause, self.point.as_deref())
    }
}

pub(super) fn key(article: u32, clause: u32, point: Option<&str>) -> String {
    match point {
        Some(point) => format!("{article}.{clause}.{point}"),
        None => format!("{article}.{clause}"),
    }
}

/// What makes a fine milder or harsher (Luật XLVPHC Điều 9, 10).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circumstance {
    pub key: String,
    pub side: Side,
    pub text: String,
    pub source: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Mitigating,
    Aggravating,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcedureFile {
    pub fine: FineRow,
    pub licence: LicenceRow,
    pub deadline: Vec<super::Deadline>,
    pub late_payment: LatePaymentRow,
    pub instalments: Vec<InstalmentsRow>,
    pub order: Vec<OrderRow>,
    pub referral: Vec<ReferralRow>,
    pub explanation: ExplanationRow,
    pub signer: Vec<SignerRow>,
    pub circumstance: Vec<Circumstance>,
    pub appointment: AppointmentRow,
    pub service: ServiceRow,
    pub paper: Vec<super::Paper>,
    pub receiver: Vec<super::Receiver>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignerRow {
    pub title: String,
    pub from: String,
    pub up_to: i64,
    pub suspends: bool,
    pub only: Option<Vec<String>>,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FineRow {
    pub default_position: f64,
    pub organisation_factor: i64,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LicenceRow {
    pub points: u32,
    pub several_acts: String,
    /// Months without points after which a test may give them back.
    pub test_months: u32,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatePaymentRow {
    pub per_day: f64,
    /// Days after the decision's date within which it is to be paid where nothing proves its receipt.
    pub without_proof_days: i64,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplanationRow {
    pub person_from: i64,
    pub organisation_from: i64,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppointmentRow {
    pub days_after_notice: i64,
    pub at: String,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceRow {
    pub letters: u32,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstalmentsRow {
    pub from: String,
    pub months: u32,
    pub parts: usize,
    pub first_share: f64,
    pub person_from: i64,
    pub organisation_from: i64,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderRow {
    pub kind: String,
    pub from: String,
    pub basis: String,
    pub certified: bool,
    #[serde(default)]
    pub person_from: i64,
    #[serde(default)]
    pub organisation_from: i64,
    pub months: Option<u32>,
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferralRow {
    pub kind: String,
    pub from: String,
    pub sender: super::Sender,
    pub hands_over: bool,
    pub answers: Vec<super::ReferralAnswer>,
    pub source: String,
}
