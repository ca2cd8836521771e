//! What follows from a decided case: small proceedings beside it, each a folder with its own table
//! and its own states. They run in parallel; what a case waits for is asked of them.

pub mod owner;
pub mod payment;
