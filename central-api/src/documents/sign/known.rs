//! What was found of documents' signatures, by the documents' digests: a document that is looked at again
//! and again is read and checked once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::{SignError, Signature};

/// Documents that are remembered.
const MOST: usize = 512;

type Found = Result<Vec<Signature>, SignError>;

/// The latest findings, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<VecDeque<(String, Found)>>);

impl Known {
    pub fn get(&self, sha256: &str) -> Option<Found> {
        // Nothing panics while it is held.
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|(of, _)| of == sha256).map(|(_, found)| found.clone())
    }

    pub fn put(&self, sha256: &str, found: &Found) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == MOST {
            known.pop_front();
        }
        known.push_back((sha256.to_owned(), found.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_known_and_no_more_than_that() {
        let known = Known::default();
        for n in 0..=MOST {
            known.put(&n.to_string(), &Ok(Vec::new()));
        }
        assert_eq!(known.get("0"), None);
        assert_eq!(known.get("1"), Some(Ok(Vec::new())));
        assert_eq!(known.get(&MOST.to_string()), Some(Ok(Vec::new())));
    }
}
