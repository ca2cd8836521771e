//! Whether the box is well with the release on trial: its cameras work as they did before, its threads
//! live, the central answers; and all that for a while.

use std::time::Duration;

use crate::health::{CameraState, CameraStatus};

/// One trial as its own program sees it.
#[derive(Debug, Default)]
pub struct Proof {
    /// Cameras that worked before.
    expected: Vec<String>,
    /// The central answered since the start.
    reached: bool,
    /// How long it must have been well.
    calm: Duration,
    well_since: Option<Duration>,
}

impl Proof {
    pub fn new(expected: Vec<String>, calm: Duration) -> Self {
        Self { expected, calm, ..Self::default() }
    }

    pub fn reached(&self) -> bool {
        self.reached
    }

    pub fn reach(&mut self) {
        self.reached = true;
    }

    /// What the box lacks, in words; nothing where it is well.
    pub fn lacks(&self, cameras: &[CameraStatus], troubles: Vec<String>) -> Vec<String> {
        // One that new settings took away is not waited for.
        let away = |camera: &&CameraStatus| {
            camera.state != CameraState::Streaming && self.expected.contains(&camera.id)
        };
        let words = |camera: &CameraStatus| {
            format!("camera {} worked before and is {}", camera.id, camera.state.name())
        };
        let mut lacks: Vec<String> = cameras.iter().filter(away).map(words).collect();
        lacks.extend(troubles);
        if !self.reached {
            lacks.push("the central has not answered yet".into());
        }
        lacks
    }

    /// Whether it has lacked nothing for long enough.
    pub fn holds(&mut self, lacks: &[String], now: Duration) -> bool {
        if !lacks.is_empty() {
            self.well_since = None;
            return false;
        }
        now.saturating_sub(*self.well_since.get_or_insert(now)) >= self.calm
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use time::macros::datetime;

    use super::*;
    use crate::clock::Simulated;
    use crate::health::Board;

    #[test]
    fn well_is_as_before_and_for_a_while() {
        let board = Board::new(Arc::new(Simulated::at(datetime!(2026-11-29 10:00 UTC))));
        board.camera("cam-1").state(CameraState::Streaming, "");
        board.camera("cam-2").state(CameraState::Failed, "401");
        board.camera("new").state(CameraState::Connecting, "");
        let expected = vec!["cam-1".into(), "cam-2".into(), "gone".into()];
        let mut proof = Proof::new(expected, Duration::from_secs(60));
        let seen = |proof: &Proof| proof.lacks(&board.snapshot(), Vec::new());
        assert_eq!(
            seen(&proof),
            ["camera cam-2 worked before and is failed", "the central has not answered yet"]
        );
        proof.reach();
        board.camera("cam-2").state(CameraState::Streaming, "");
        let at = Duration::from_secs;
        assert!(seen(&proof).is_empty());
        assert!(!proof.holds(&seen(&proof), at(5)) && !proof.holds(&seen(&proof), at(64)));
        // A camera that comes and goes is not well.
        board.camera("cam-1").state(CameraState::Stalled, "");
        assert!(!proof.holds(&seen(&proof), at(66)));
        board.camera("cam-1").state(CameraState::Streaming, "");
        assert!(!proof.holds(&seen(&proof), at(67)) && !proof.holds(&seen(&proof), at(126)));
        assert!(proof.holds(&seen(&proof), at(127)));
        let troubles = vec!["sealer has ended: restart the agent".to_owned()];
        assert!(!proof.holds(&proof.lacks(&board.snapshot(), troubles), at(200)));
    }
}
