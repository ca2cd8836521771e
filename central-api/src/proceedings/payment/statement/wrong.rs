//! What can be wrong with a line of a statement. Never said with its content: it may be somebody's name.

use super::super::MOST;
use super::LONGEST;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Wrong {
    #[error("the account is not that of [treasury]")]
    Account,
    #[error("the currency is not VND")]
    Currency,
    #[error("the amount is no whole number of VND")]
    Amount,
    #[error("the amount is larger than {MOST} VND: it cannot be right")]
    Large,
    #[error("the amount is nothing")]
    Nothing,
    #[error("an amount is below nothing where the column or CdtDbtInd says which way it goes")]
    Negative,
    #[error("ghi_co and ghi_no are both given")]
    Both,
    #[error("CdtDbtInd must be CRDT or DBIT")]
    Direction,
    #[error("the transactions of the entry do not make its amount")]
    Sum,
    #[error("the bank's number of the transaction is missing (ma_giao_dich, AcctSvcrRef)")]
    Number,
    #[error("the bank's number of the transaction is that of line {0}, too")]
    Twice(u64),
    #[error("the bank's number of the transaction is on record with another amount")]
    OtherAmount,
    #[error("the day must be like 31/12/2026 or 2026-12-31")]
    Day,
    #[error("the day lies in the future, or more than three years ago")]
    FarDay,
    #[error("a text is longer than {LONGEST} characters or has more lines")]
    Text,
}

impl Wrong {
    /// For the word tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Currency => "currency",
            Self::Amount => "amount",
            Self::Large => "large",
            Self::Nothing => "nothing",
            Self::Negative => "negative",
            Self::Both => "both",
            Self::Direction => "direction",
            Self::Sum => "sum",
            Self::Number => "number",
            Self::Twice(_) => "twice",
            Self::OtherAmount => "other_amount",
            Self::Day => "day",
            Self::FarDay => "far_day",
            Self::Text => "text",
        }
    }
}
