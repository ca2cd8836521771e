//! The number of a page as a request asks for it.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::whole::whole;

/// Highest page that may be asked for; no list is as long.
const LAST: u32 = 1_000_000;

/// A page, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(minimum = 1, maximum = 1_000_000)]
pub struct PageNumber(u32);

#[derive(Debug, thiserror::Error)]
#[error("a page is a number from 1 to {LAST}")]
pub struct NoPage;

impl PageNumber {
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for PageNumber {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<i64> for PageNumber {
    type Error = NoPage;

    fn try_from(number: i64) -> Result<Self, NoPage> {
        let number = u32::try_from(number).map_err(|_| NoPage)?;
        if (1..=LAST).contains(&number) { Ok(Self(number)) } else { Err(NoPage) }
    }
}

impl<'de> Deserialize<'de> for PageNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(deserializer)
    }
}
