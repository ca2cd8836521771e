//! Documents of the procedure as PDFs: what all of them share. The same input gives the same bytes.
//!
//! A form (`notice::form`, `proceedings/*/form`) writes on [`Paper`]; [`frame`] has the parts that
//! every administrative document has. Numbers are taken before printing ([`draft`]), what was issued
//! is signed where a key is configured (`sign`), on record in one table, and its file lies with the
//! evidence ([`record`], [`read`]).

mod fonts;
pub(crate) mod frame;
pub(crate) mod layout;
mod letter;
mod number;
pub mod numerals;
mod page;
pub(crate) mod qr;
pub mod sign;
mod stored;

use serde::{Deserialize, Serialize};

pub use frame::Head;
pub use letter::{Enclosed, Letters, MOST_PAGES, Pane, Sheet};
pub use number::{Draft, draft, give_up};
pub use page::Align;
pub(crate) use page::{LEFT, Paper, RIGHT};
pub use stored::{Document, file_name, find, find_by_code, of_case, read, record, store, texts};

use self::sign::SignError;
use crate::evidence::EvidenceError;
use crate::store::StoreError;

/// The kinds of documents, each numbered by itself.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Thông báo, Mẫu 01/73.
    Notice,
    /// Biên bản vi phạm hành chính, MBB01.
    Minutes,
    /// Biên bản phiên giải trình trực tiếp, MBB03.
    Hearing,
    /// Quyết định xử phạt vi phạm hành chính, MQĐ02.
    Decision,
    /// Quyết định hủy bỏ, MQĐ40.
    Annulment,
    /// Thông báo trừ điểm giấy phép lái xe, Mẫu 02/73.
    Points,
    /// Quyết định hoãn thi hành quyết định phạt tiền, MQĐ03.
    Deferral,
    /// Quyết định giảm, miễn tiền phạt, MQĐ04.
    Reduction,
    Exemption,
    /// Quyết định về việc nộp tiền phạt nhiều lần, MQĐ05.
    Instalments,
    /// Quyết định sửa đổi, bổ sung, MQĐ38.
    Amendment,
    /// Quyết định đính chính, MQĐ39.
    Correction,
    /// Biên lai thu tiền phạt.
    Receipt,
    /// Phiếu chuyển, Mẫu 03/73.
    Transfer,
    /// Phiếu gửi, Mẫu 04/73.
    Slip,
}

impl Kind {
    pub const ALL: [Self; 15] = [
        Self::Notice,
        Self::Minutes,
        Self::Hearing,
        Self::Decision,
        Self::Annulment,
        Self::Points,
        Self::Deferral,
        Self::Reduction,
        Self::Exemption,
        Self::Instalments,
        Self::Amendment,
        Self::Correction,
        Self::Receipt,
        Self::Transfer,
        Self::Slip,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Minutes => "minutes",
            Self::Hearing => "hearing",
            Self::Decision => "decision",
            Self::Annulment => "annulment",
            Self::Points => "points",
            Self::Deferral => "deferral",
            Self::Reduction => "reduction",
            Self::Exemption => "exemption",
            Self::Instalments => "instalments",
            Self::Amendment => "amendment",
            Self::Correction => "correction",
            Self::Receipt => "receipt",
            Self::Transfer => "transfer",
            Self::Slip => "slip",
        }
    }

    /// What stands behind the number (NĐ 118/2021 annex; TT 73/2024/TT-BCA).
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Notice | Self::Points => "TB",
            Self::Minutes => "BB-VPHC",
            Self::Hearing => "BB-GTTT",
            Self::Decision => "QĐ-XPHC",
            Self::Annulment => "QĐ-HB",
            Self::Deferral => "QĐ-HQĐPT",
            Self::Reduction => "QĐ-GTP",
            Self::Exemption => "QĐ-MTP",
            Self::Instalments => "QĐ-NPNL",
            Self::Amendment => "QĐ-SĐBSHB",
            Self::Correction => "QĐ-ĐC",
            // No sign of its own was found in the annex.
            Self::Receipt => "BLTP",
            Self::Transfer => "PC",
            Self::Slip => "PG",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("failed to write the PDF: {0}")]
    Pdf(String),
    #[error("the stored document does not have the digest on record")]
    Changed,
    #[error("the document is not signed: {0}")]
    Sign(#[from] SignError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
