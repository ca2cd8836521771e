//! In whose hand a step of a proceeding is, and who takes it.

use super::payment;

/// In whose hand a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    Clerk,
    Leader,
    Central,
}

/// Who acts: the user's id, absent of the central, and the hands that are this one's.
#[derive(Debug, Clone)]
pub struct Actor<'a> {
    pub user: Option<&'a str>,
    pub hands: &'a [Hand],
}

/// An officer who takes a step.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub user: &'a str,
    pub login: &'a str,
    pub hands: &'a [Hand],
}

impl<'a> By<'a> {
    pub(super) fn actor(&self) -> Actor<'a> {
        Actor { user: Some(self.user), hands: self.hands }
    }

    /// The same where money follows.
    pub(super) fn payer(&self) -> payment::By<'a> {
        payment::By::User { id: self.user, login: self.login }
    }
}
