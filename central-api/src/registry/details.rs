//! What the forms of NĐ 118/2021 ask of a person or an organisation beside name, number and address. What
//! is not known is a blank on paper, to be filled in by hand, and never guessed.

use serde::{Deserialize, Serialize};
use time::Date;

use super::OwnerKind;

/// Longest text, in characters.
const LONGEST: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    Male,
    Female,
}

/// Left out of the record where it is not known, so that records of before stay what they were.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub nationality: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub occupation: String,
    /// Of the identity document; of an organisation, of its registration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_issued_on: Option<Date>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id_issued_by: String,
    /// Of an organisation, by law, and as what.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub representative: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub representative_title: String,
}

/// Personal data are not printed.
impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Details(…)")
    }
}

impl Details {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What was typed, tidied; or the field that is wrong: a person has no representative, an
    /// organisation neither sex nor occupation.
    pub fn checked(self, kind: OwnerKind, today: Date) -> Result<Self, &'static str> {
        let is_person = kind == OwnerKind::Person;
        if self.sex.is_some() && !is_person {
            return Err("sex");
        }
        let day = self.id_issued_on;
        if day.is_some_and(|day| day > today || day.year() < 1900) {
            return Err("id_issued_on");
        }
        let text = |name: &'static str, text: &str, fits: bool| {
            let text = text.trim();
            let fits = (text.is_empty() || fits)
                && text.chars().count() <= LONGEST
                && !text.chars().any(char::is_control);
            if fits { Ok(text.to_owned()) } else { Err(name) }
        };
        Ok(Self {
            sex: self.sex,
            nationality: text("nationality", &self.nationality, is_person)?,
            occupation: text("occupation", &self.occupation, is_person)?,
            id_issued_on: day,
            id_issued_by: text("id_issued_by", &self.id_issued_by, true)?,
            representative: text("representative", &self.representative, !is_person)?,
            representative_title: text(
                "representative_title",
                &self.representative_title,
                !is_person,
            )?,
        })
    }
}
