//! One thing that was looked at, how bad it is and what to do about it: of the doctor and of the
//! status pages alike.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Good,
    /// Works, but somebody should look.
    Warn,
    /// Does not work.
    Bad,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub part: String,
    pub verdict: Verdict,
    pub text: String,
    /// The same in Vietnamese, where a page shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_vi: Option<String>,
    /// What to do, where it is not good and the text does not say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}

/// What to do, in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Advice {
    pub vi: &'static str,
    pub en: &'static str,
}

impl Finding {
    pub fn new(part: impl Into<String>, verdict: Verdict, text: impl Into<String>) -> Self {
        Self { part: part.into(), verdict, text: text.into(), text_vi: None, advice: None }
    }

    /// With the same in Vietnamese.
    pub fn vietnamese(self, text: impl Into<String>) -> Self {
        Self { text_vi: Some(text.into()), ..self }
    }

    /// With what to do unless it is good.
    pub fn advise(self, vi: &'static str, en: &'static str) -> Self {
        let advice = (self.verdict != Verdict::Good).then_some(Advice { vi, en });
        Self { advice, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Bad => "BAD ",
        };
        write!(f, "{mark}  {:<12} {}", self.part, self.text)?;
        match &self.advice {
            Some(advice) => write!(f, ": {}", advice.en),
            None => Ok(()),
        }
    }
}
