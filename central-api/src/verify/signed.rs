//! The electronic signatures of stored documents: each is whole, and of somebody who is believed.

use serde::Serialize;
use time::format_description::well_known::Rfc3339;

use super::Report;
use crate::documents::sign::{SignError, Signature};

/// How many documents are signed; those whose signature does not hold are among the findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Signatures {
    pub signed: u64,
    /// Printed to be signed by hand.
    pub unsigned: u64,
}

impl Report {
    /// Takes in what was found of a document's signatures.
    pub(super) fn signature(&mut self, subject: &str, found: Result<Vec<Signature>, SignError>) {
        let counted = self.signatures.get_or_insert_default();
        match found {
            Ok(found) if found.is_empty() => counted.unsigned += 1,
            Ok(_) => counted.signed += 1,
            Err(error) => self.add(subject, error),
        }
    }
}

/// `signed by NAME (ORGANISATION) at TIME, as TSA says`.
pub fn in_words(signature: &Signature) -> String {
    let by = &signature.by;
    let organisation = by.organisation.as_ref().map(|name| format!(" ({name})"));
    let time = match &signature.stamp {
        Some(stamp) => format!("by the time stamp of {}", stamp.by.name),
        None => "by the signer's own clock".into(),
    };
    let at = signature.at.to_offset(crate::law::VIETNAM);
    let at = at.format(&Rfc3339).unwrap_or_else(|_| at.to_string());
    format!("signed by {}{} at {at}, {time}", by.name, organisation.unwrap_or_default())
}
