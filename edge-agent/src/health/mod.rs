//! How the box is: states of cameras, spool and uplink, shown as Prometheus metrics and JSON on the
//! local network, and the doctor's checks before and beside a running agent.

pub mod board;
mod configured;
pub mod crew;
pub mod doctor;
mod doctor_clock;
mod metrics;
mod report;
mod server;

pub use board::{Analysed, Board, CameraHandle, CameraState, CameraStatus, Observer, Stream};
pub use configured::Configured;
pub use crew::{Crew, Life, MemberStatus, Pulse};
pub use doctor::{Finding, Verdict};
pub use metrics::install_recorder;
pub use server::{HealthError, Server, Sources};
