//! Reason codes of rejections, returns and plate corrections: a decision is never without one.

use super::states::Action;

/// Why a reviewer rejects, an approver returns or a plate is corrected.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The plate cannot be read for certain.
    PlateUnreadable,
    /// The plate belongs to another vehicle than the one that acts.
    WrongVehicle,
    /// The lamp cannot be told, or was not red.
    LampDoubtful,
    /// The movement was allowed, e.g. a right turn on the arrow.
    LawfulMovement,
    /// Followed a traffic officer's sign.
    OfficerSignal,
    /// A priority vehicle on duty, or making way for one.
    PriorityVehicle,
    /// Pictures or clip do not show the act.
    PoorEvidence,
    /// The same act has another case.
    Duplicate,
    /// A letter or digit was read wrong.
    Misread,
    /// The reviewer did not give the plate with the right series.
    PlateDoubtful,
    /// Anything else: the note says what.
    Other,
}

impl Reason {
    pub const ALL: [Self; 11] = [
        Self::PlateUnreadable,
        Self::WrongVehicle,
        Self::LampDoubtful,
        Self::LawfulMovement,
        Self::OfficerSignal,
        Self::PriorityVehicle,
        Self::PoorEvidence,
        Self::Duplicate,
        Self::Misread,
        Self::PlateDoubtful,
        Self::Other,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::PlateUnreadable => "plate_unreadable",
            Self::WrongVehicle => "wrong_vehicle",
            Self::LampDoubtful => "lamp_doubtful",
            Self::LawfulMovement => "lawful_movement",
            Self::OfficerSignal => "officer_signal",
            Self::PriorityVehicle => "priority_vehicle",
            Self::PoorEvidence => "poor_evidence",
            Self::Duplicate => "duplicate",
            Self::Misread => "misread",
            Self::PlateDoubtful => "plate_doubtful",
            Self::Other => "other",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// Whether the code may go with `action`.
    pub const fn fits(self, action: Action) -> bool {
        match action {
            Action::CorrectPlate => {
                matches!(self, Self::Misread | Self::PlateUnreadable | Self::Other)
            }
            Action::Reject => !matches!(self, Self::Misread | Self::PlateDoubtful),
            Action::Return => {
                matches!(
                    self,
                    Self::PlateDoubtful
                        | Self::WrongVehicle
                        | Self::LampDoubtful
                        | Self::LawfulMovement
                        | Self::PoorEvidence
                        | Self::Duplicate
                        | Self::Other
                )
            }
            // What can be wrong with a notice that is out.
            Action::Withdraw => !matches!(self, Self::PlateUnreadable | Self::PlateDoubtful),
            _ => false,
        }
    }

    /// The codes offered for `action`, in the order of the form.
    pub fn for_action(action: Action) -> Vec<Self> {
        Self::ALL.into_iter().filter(|reason| reason.fits(action)).collect()
    }
}
