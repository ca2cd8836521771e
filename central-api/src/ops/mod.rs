//! What operators look at: health, readiness, metrics, logs.

mod http;
pub mod logging;
mod metrics;

pub use http::{observe, public_router, router};
pub use metrics::{MetricsError, install};
