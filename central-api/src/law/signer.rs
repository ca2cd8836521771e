//! Who may sign a fine: offices, each up to a bracket's maximum, some only for certain provisions,
//! by the table in force at the time. Points come off a licence only by an office that may suspend
//! licences (NĐ 168/2024 Điều 50 khoản 2).

use time::OffsetDateTime;

use super::book::{LawError, Provision, day, entry};
use super::schema::{ProvisionRow, SignerRow};

impl SignerRow {
    /// By the bracket's maximum, the points and the provision's key.
    fn may(&self, most: i64, points: u32, key: &String) -> bool {
        most <= self.up_to
            && (points == 0 || self.suspends)
            && self.only.as_ref().is_none_or(|only| only.contains(key))
    }
}

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
        let key = row.key();
        let may = |office: &&SignerRow| office.may(row.fine[1], row.points, &key);
        self.in_force(at).find(may).map(|office| office.title.as_str())
    }

    /// Whether the office of a title may sign for a provision at `at`. What an organisation pays is
    /// twice a person's, and so is every limit (Luật XLVPHC Điều 52): a person's bracket decides.
    pub fn may(&self, title: &str, provision: &Provision, at: OffsetDateTime) -> bool {
        let key = provision.key();
        self.in_force(at)
            .any(|it| it.title == title && it.may(provision.fine_max, provision.points, &key))
    }

    /// Every office's title at `at`, the lowest first.
    pub fn titles(&self, at: OffsetDateTime) -> Vec<&str> {
        self.in_force(at).map(|office| office.title.as_str()).collect()
    }

    fn in_force(&self, at: OffsetDateTime) -> impl Iterator<Item = &SignerRow> {
        let from = self.0.iter().map(|signer| signer.from).filter(|from| *from <= at).max();
        self.0.iter().filter(move |it| Some(it.from) == from).map(|it| &it.office)
    }
}
