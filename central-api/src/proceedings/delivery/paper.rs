//! The kinds of papers that are delivered.

use serde::{Deserialize, Serialize};

use crate::documents::Kind;

/// A kind of document that goes to whom it is for. What the law says of its sending stands in
/// `law/procedure.toml`, under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paper {
    /// Thông báo, Mẫu 01/73.
    Notice,
    /// Quyết định xử phạt, MQĐ02.
    Decision,
    /// Quyết định hủy bỏ, MQĐ40.
    Annulment,
    /// Thông báo trừ điểm, Mẫu 02/73.
    Points,
}

impl Paper {
    /// In the order of a batch: what takes back first, then what must be sent soonest.
    pub const ALL: [Self; 4] = [Self::Annulment, Self::Decision, Self::Points, Self::Notice];

    pub const fn name(self) -> &'static str {
        self.kind().name()
    }

    pub const fn kind(self) -> Kind {
        match self {
            Self::Notice => Kind::Notice,
            Self::Decision => Kind::Decision,
            Self::Annulment => Kind::Annulment,
            Self::Points => Kind::Points,
        }
    }

    /// None of a document that is signed and handed over in the unit.
    pub fn of(kind: Kind) -> Option<Self> {
        Self::ALL.into_iter().find(|paper| paper.kind() == kind)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|paper| paper.name() == name)
    }

    /// Whether it takes something back: then it goes out whatever has become of the case.
    pub const fn takes_back(self) -> bool {
        matches!(self, Self::Annulment)
    }

    /// Whether it holds only while a decision does.
    pub const fn needs_decision(self) -> bool {
        matches!(self, Self::Decision | Self::Points)
    }

    /// As a letter says what is enclosed.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Notice => "Thông báo vi phạm",
            Self::Decision => "Quyết định xử phạt vi phạm hành chính",
            Self::Annulment => "Quyết định hủy bỏ quyết định xử phạt",
            Self::Points => "Thông báo trừ điểm giấy phép lái xe",
        }
    }
}
