//! The frame around a page: language, who is signed in, where one is.

use super::words::{Lang, Words};
use crate::percent;

/// What `base.html` needs.
#[derive(Debug, Clone)]
pub struct Shell {
    pub lang: Lang,
    /// Path and query of this page, to come back to after switching language.
    pub here: String,
    pub staff: Option<StaffFrame>,
}

/// The signed-in officer's part of the frame.
#[derive(Debug, Clone)]
pub struct StaffFrame {
    pub name: String,
    pub csrf: String,
    pub reviews: bool,
    pub approves: bool,
    pub reads_cases: bool,
    pub sees_owners: bool,
    pub sees_recalls: bool,
    pub sees_boxes: bool,
    pub sees_money: bool,
    pub to_review: u64,
    pub to_approve: u64,
    /// Rejections that wait for a second look.
    pub to_recheck: u64,
    /// Owners that a clerk must look for.
    pub to_name: u64,
    /// Decisions that wait for a leader.
    pub to_sign: u64,
    /// Receipts without a claim, and money that must go back.
    pub to_book: u64,
    /// `review`, `approval`, `recheck`, `all`, `owners`, `sanctions`, `recalls`, `post`, `terms`,
    /// `money`, `boxes`, `jobs` or empty.
    pub tab: &'static str,
}

impl Shell {
    /// The frame of a public page.
    pub fn public(lang: Lang, here: impl Into<String>) -> Self {
        Self { lang, here: here.into(), staff: None }
    }

    pub fn w(&self) -> &'static Words {
        self.lang.words()
    }

    /// Link that switches the language and comes back.
    pub fn switch_link(&self) -> String {
        let back = percent::encode(self.here.as_bytes(), b"/");
        format!("/ngon-ngu?to={}&back={back}", self.lang.other().code())
    }
}
