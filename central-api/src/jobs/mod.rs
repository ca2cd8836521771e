//! Work that is too slow for the transaction that causes it, kept in the database.
//!
//! A job is asked for in the transaction that causes it ([`ask`]) and exists if that commits. A
//! worker takes what is due ([`take`]), prepares outside every transaction, and writes its effect in
//! the transaction that also ends the job ([`Taken::done`]): the effect counts once, however often
//! the job is begun. A worker that dies loses its job to the next one after [`LEASE`]; one that
//! fails is tried again with growing pauses, and given up after [`ATTEMPTS`] until somebody revives
//! it ([`revive`]). What the jobs do is in `work`.

mod pause;
mod queue;
mod standing;

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::documents::Kind;
use crate::store::StoreError;

pub use pause::ATTEMPTS;
pub use queue::{Taken, ask, ask_at, begin, drop_job, forget, put_off, take};
pub use standing::{
    Asked, Dead, Standing, UnderWay, dead, find, revive, standing, under_way, under_way_text,
};

/// How long a worker has a job for itself.
pub const LEASE: Duration = Duration::minutes(2);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Job {
    /// Looks up who owns the vehicle of an approved case.
    IdentifyOwner {
        case: String,
    },
    /// Prints and issues the notice of an approved case.
    IssueNotice {
        case: String,
    },
    /// Prints a document that a proceeding has asked for.
    PrintPaper {
        case: String,
        kind: Kind,
    },
    /// Finds and freezes the cases of a recall; judges them again; undoes what two people decided.
    ListRecall {
        recall: String,
        /// Where the listing is; absent at its beginning.
        #[serde(default)]
        place: Option<Place>,
    },
    JudgeRecall {
        recall: String,
    },
    SettleRecall {
        recall: String,
    },
    /// Notes what older packages were made with, after one.
    TraceEvidence {
        after: String,
    },
    /// Closes the cases whose limitation has passed; asks for itself again, every day.
    ExpireCases,
    /// Prints a batch of letters.
    PrintBatch {
        batch: String,
    },
    /// Warns of cases past their term; asks for itself again, every day.
    SendWarnings,
    /// Hands over what is told of warnings; asks for itself again.
    ExportWarnings,
    /// Puts rows of before into the audit, of one table after another, behind a subject.
    CoverRecords {
        table: usize,
        after: String,
    },
}

/// Where a listing that takes several attempts is: which of its texts, and the last row seen of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub text: usize,
    pub at: i64,
    pub seen: String,
}

impl Job {
    /// The kind's name in logs, metrics and the word tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::IdentifyOwner { .. } => "identify_owner",
            Self::IssueNotice { .. } => "issue_notice",
            Self::PrintPaper { .. } => "print_paper",
            Self::ListRecall { .. } => "list_recall",
            Self::JudgeRecall { .. } => "judge_recall",
            Self::SettleRecall { .. } => "settle_recall",
            Self::TraceEvidence { .. } => "trace_evidence",
            Self::ExpireCases => "expire_cases",
            Self::PrintBatch { .. } => "print_batch",
            Self::SendWarnings => "send_warnings",
            Self::ExportWarnings => "export_warnings",
            Self::CoverRecords { .. } => "cover_records",
        }
    }

    /// The case that it is about, if it is about one.
    pub fn case(&self) -> Option<&str> {
        match self {
            Self::IdentifyOwner { case }
            | Self::IssueNotice { case }
            | Self::PrintPaper { case, .. } => Some(case),
            Self::ListRecall { .. }
            | Self::JudgeRecall { .. }
            | Self::SettleRecall { .. }
            | Self::TraceEvidence { .. }
            | Self::ExpireCases
            | Self::PrintBatch { .. }
            | Self::SendWarnings
            | Self::ExportWarnings
            | Self::CoverRecords { .. } => None,
        }
    }

    /// The jobs that lead from an approval to the notice.
    pub fn of_case(case: &str) -> [Self; 2] {
        [Self::IdentifyOwner { case: case.into() }, Self::IssueNotice { case: case.into() }]
    }

    /// Every job that a case's page tells of.
    pub fn about(case: &str) -> Vec<Self> {
        let print = |kind| Self::PrintPaper { case: case.into(), kind };
        Self::of_case(case).into_iter().chain(Kind::ALL.map(print)).collect()
    }

    /// Names the work: what is asked for again while it waits is the same job.
    pub fn key(&self) -> String {
        match (self, self.case()) {
            (Self::PrintPaper { kind, .. }, Some(case)) => {
                format!("{}:{}:{case}", self.name(), kind.name())
            }
            (_, Some(case)) => format!("{}:{case}", self.name()),
            (
                Self::ListRecall { recall, .. }
                | Self::JudgeRecall { recall }
                | Self::SettleRecall { recall },
                _,
            ) => format!("{}:{recall}", self.name()),
            (Self::PrintBatch { batch }, _) => format!("{}:{batch}", self.name()),
            (_, None) => self.name().into(),
        }
    }
}

/// That a job was ended in a transaction: who carries a job out gives it back.
#[derive(Debug)]
#[must_use]
pub struct Done(());

/// Why a job cannot be ended.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The lease ran out and somebody else has it: nothing of this attempt may count.
    #[error("another worker has taken the job meanwhile")]
    Lost,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Jobs that run by themselves from time to time: asked for at every start, they ask for themselves
/// again.
pub const RECURRING: [Job; 3] = [Job::ExpireCases, Job::SendWarnings, Job::ExportWarnings];
