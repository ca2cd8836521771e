//! Stream time: nanoseconds that never step within one clock epoch, whatever happens to the wall
//! clock.

/// Stream time, nanoseconds.
pub type Nanos = u64;

/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;

/// Seconds as stream time.
pub const fn seconds(seconds: f32) -> Nanos {
    (seconds as f64 * SECOND as f64) as Nanos
}

/// Stream time as seconds, for people and for measured values.
pub const fn in_seconds(t: Nanos) -> f64 {
    t as f64 / SECOND as f64
}
