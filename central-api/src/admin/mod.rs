//! What an administrator does at the command line: users and devices.

pub mod password;
pub mod users;
