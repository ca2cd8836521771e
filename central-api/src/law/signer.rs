//! Who may sign a fine: offices, each up to a bracket's maximum, some only for certain provisions,
//! by the table in force at the time. Points come off a licence only by an office that may suspend
//! licences (NĐ 168/2024 Điều 50 khoản 2).

use time::OffsetDateTime;

use super::book::{LawError, day, entry};
use super::schema::{ProvisionRow, SignerRow};

/// Every office, by date.
#[derive(Debug)]
pub(super) struct Signers(Vec<Signer>);

#[derive(Debug)]
struct Signer {
    from: OffsetDateTime,
    office: SignerRow,
}

impl Signers {
    pub fn read(file: &str, rows: Vec<SignerRow>) -> Result<Self, LawError> {
        let signer = |office: SignerRow| {
            let wrong = |problem| entry(file, &format!("signer {}", office.title), problem);
            let from = day(&office.from).ok_or(wrong("from is not a date like 2026-08-15"))?;
            if office.up_to <= 0 || office.title.trim().is_empty() {
                return Err(wrong("needs a title and up_to above 0"));
            }
            if office.source.trim().is_empty() {
                return Err(wrong("needs a source"));
            }
            Ok(Signer { from, office })
        };
        let mut signers = rows.into_iter().map(signer).collect::<Result<Vec<_>, _>>()?;
        // The lowest office of each table comes first.
        signers.sort_by_key(|signer| (signer.from, signer.office.up_to));
        Ok(Self(signers))
    }

    /// The lowest office that may sign for a provision at `at`.
    pub fn lowest(&self, row: &ProvisionRow, at: OffsetDateTime) -> Option<&str> {
        let in_force = self.0.iter().map(|signer| signer.from).filter(|from| *from <= at).max()?;
        let key = row.key();
        let may = |office: &&SignerRow| {
            row.fine[1] <= office.up_to
                && (row.points == 0 || office.suspends)
                && office.only.as_ref().is_none_or(|only| only.contains(&key))
        };
        let offices = self.0.iter().filter(|signer| signer.from == in_force);
        offices.map(|signer| &signer.office).find(may).map(|office| office.title.as_str())
    }
}
