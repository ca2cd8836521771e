//! The agent's configuration: TOML files, merged in the order given, checked as a whole before
//! anything starts. Every complaint names file, line and key and says what would be right, and all
//! complaints come at once: a box on a pole is not configured by trial and error.

mod model;

pub use model::{
    Agent, Camera, ClockPolicy, Device, Exit, Health, Lamp, LampLayout, Light, Models, Spool, Unit,
    Uplink,
};
