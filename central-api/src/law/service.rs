//! Which papers go to whom they are for, within which term, and who may take them over.

use serde::Deserialize;

use super::Term;
use super::book::{LawError, entry};
use super::schema::ServiceRow;

/// A paper that is sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    pub name: String,
    /// The term within which it is.
    pub sent_within: Term,
    pub source: String,
}

/// Who may take a paper over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    pub key: String,
    pub text: String,
    pub source: String,
}

#[derive(Debug)]
pub(super) struct Service {
    pub papers: Vec<Paper>,
    pub receivers: Vec<Receiver>,
    /// How many letters must come back before a document counts as served.
    pub letters: u32,
}

impl Service {
    pub(super) fn read(
        file: &str,
        row: &ServiceRow,
        papers: Vec<Paper>,
        receivers: Vec<Receiver>,
    ) -> Result<Self, LawError> {
        let named = papers.iter().map(|it| ("paper", &it.name, &it.source));
        let named = named.chain(receivers.iter().map(|it| ("receiver", &it.key, &it.source)));
        let mut before = Vec::new();
        for (kind, name, source) in named {
            let wrong = |problem| entry(file, &format!("{kind} {name}"), problem);
            if before.contains(&(kind, name)) {
                return Err(wrong("is there twice"));
            }
            if name.is_empty() || source.trim().is_empty() {
                return Err(wrong("needs a name and a source"));
            }
            before.push((kind, name));
        }
        if receivers.is_empty() || receivers.iter().any(|it| it.text.trim().is_empty()) {
            return Err(entry(file, "receiver", "must be given, each with its text"));
        }
        Ok(Self { letters: row.letters, papers, receivers })
    }
}

impl super::LawBook {
    /// The term within which a paper is sent; none where it is not.
    pub fn sent_within(&self, paper: &str) -> Option<Term> {
        self.service.papers.iter().find(|it| it.name == paper).map(|it| it.sent_within)
    }

    /// Who may take a paper over, so that it is served.
    pub fn receivers(&self) -> &[Receiver] {
        &self.service.receivers
    }

    /// How many letters must come back before a document counts as served.
    pub const fn service_letters(&self) -> u32 {
        self.service.letters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_twice_or_without_source_is_refused() {
        let paper = |name: &str, source: &str| Paper {
            name: name.into(),
            sent_within: Term::Notice,
            source: source.into(),
        };
        let receiver =
            Receiver {
                key: "addressee".into(), text: "Người nhận".into(), source: "Luật".into()
            };
        let row = ServiceRow { letters: 3, source: "Luật".into() };
        let read = |papers, receivers| Service::read("law", &row, papers, receivers).map(|_| ());
        assert_eq!(read(vec![paper("notice", "Luật")], vec![receiver.clone()]), Ok(()));
        for (papers, receivers) in [
            (vec![paper("notice", " ")], vec![receiver.clone()]),
            (vec![paper("a", "L"), paper("a", "L")], vec![receiver.clone()]),
            (vec![], vec![]),
            (vec![], vec![receiver.clone(), receiver]),
        ] {
            assert!(read(papers, receivers).is_err());
        }
    }
}
