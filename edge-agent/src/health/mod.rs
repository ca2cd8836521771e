//! How the box is: states of cameras, spool, uplink and the machine, shown as Prometheus metrics, JSON
//! and a page on the local network, and the doctor's checks before and beside a running agent.

pub mod board;
mod camera;
mod configured;
pub mod crew;
pub mod doctor;
mod doctor_cameras;
mod finding;
mod findings;
mod machine;
mod metrics;
mod page;
mod report;
mod server;
mod to_central;

pub use board::{Board, CameraHandle, Observer};
pub use camera::{
    Analysed, CameraClock, CameraState, CameraStatus, ClockCheck, PaceStatus, Stream,
};
pub use configured::Configured;
pub use crew::{Crew, Life, MemberStatus, Pulse};
pub use finding::{Finding, Verdict};
pub use metrics::install_recorder;
pub use report::{Premises, Report, Sources};
pub use server::{HealthError, Server};
