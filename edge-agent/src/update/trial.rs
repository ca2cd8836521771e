//! Whether the box is well with the release on trial: its cameras work as they did before, its threads
//! live, the central answers; and all that for a while.

use std::time::Duration;

use crate::health::{CameraState, CameraStatus};

/// Away for less than this is no answer: lines break, and come back.
const SHORT: Duration = Duration::from_secs(10);

/// Whether pictures come of a camera that stands so, whatever they show.
pub const fn comes(state: CameraState) -> bool {
    use CameraState::{Connecting, Failed, Stalled, Stopped};
    !matches!(state, Connecting | Stalled | Failed | Stopped)
}

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
    lacking_since: Option<Duration>,
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
        // One that new settings took away is not waited for; nor does it count what a street or a line
        // does to a camera whatever program runs: packets lost, a night in which nothing moves.
        let blind = |camera: &CameraStatus| camera.dropped.contains_key("inference_failed");
        let away = |camera: &&CameraStatus| {
            self.expected.contains(&camera.id) && (!comes(camera.state) || blind(camera))
        };
        let words = |camera: &CameraStatus| match blind(camera) {
            true => format!("camera {}: its pictures cannot be looked at", camera.id),
            false => format!("camera {} worked before and is {}", camera.id, camera.state.name()),
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
            if now.saturating_sub(*self.lacking_since.get_or_insert(now)) >= SHORT {
                self.well_since = None;
            }
            return false;
        }
        self.lacking_since = None;
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
        assert!(!proof.holds(&seen(&proof), at(54)) && !proof.holds(&seen(&proof), at(66)));
        board.camera("cam-1").state(CameraState::Streaming, "");
        assert!(!proof.holds(&seen(&proof), at(67)) && !proof.holds(&seen(&proof), at(126)));
        assert!(proof.holds(&seen(&proof), at(127)));
        // One that was away for a moment is.
        board.camera("cam-1").state(CameraState::Stalled, "");
        assert!(!proof.holds(&seen(&proof), at(129)) && !proof.holds(&seen(&proof), at(137)));
        board.camera("cam-1").state(CameraState::Streaming, "");
        assert!(proof.holds(&seen(&proof), at(138)));
        // Lost packets are the line's, and not the release's.
        board.camera("cam-1").state(CameraState::Damaged, "");
        assert!(seen(&proof).is_empty());
        board.camera("cam-1").dropped("inference_failed", 1);
        assert_eq!(seen(&proof), ["camera cam-1: its pictures cannot be looked at"]);
        let troubles = vec!["sealer has ended: restart the agent".to_owned()];
        assert!(!proof.holds(&proof.lacks(&board.snapshot(), troubles), at(200)));
    }
}
