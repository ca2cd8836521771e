//! The boxes at the road: their certificates, their enrolment, the intake of their evidence, and how
//! they say they are.

pub mod ca;
pub mod enrol;
pub mod fleet;
pub mod intake;
pub mod keyfile;
pub mod keyring;
pub mod parked;
mod places;
pub mod rate;
pub mod receipt;
pub mod settle;
pub mod stuck;
pub mod tls;
