//! Capture time: when the camera took a picture, told by its RTCP sender reports, else by arrival
//! at the box. One clock alone proves nothing: the camera's counts where the box's agrees with it,
//! the box's where the kernel says that it is synchronised, and where two clocks disagree with
//! nobody to vouch for either, the time is unknown. A step of either clock opens a new epoch: times
//! of different epochs are not compared, and tracks do not cross them.

use std::time::Duration;

use contract::manifest::{Clock, ClockSource};
use time::{OffsetDateTime, UtcOffset};

use super::Dating;
use crate::config::ClockPolicy;
use crate::see::Nanos;

/// Evidence is dated in Vietnam's time.
pub const LOCAL: UtcOffset = time::macros::offset!(+7);

/// A jump of a clock against the stream by this much is a step.
const STEP_MS: i64 = 1000;
/// Camera and box agree within this; arrival is late by the camera's and the network's delay.
pub const TOLERANCE_MS: i64 = 2000;

/// When and how a unit reached the box.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The box's wall clock.
    pub wall: OffsetDateTime,
    /// Time since this process began; never steps.
    pub monotonic: Duration,
    /// Whether the kernel says that the wall clock is synchronised.
    pub vouched: bool,
}

/// Dates the pictures of one connection.
#[derive(Debug)]
pub struct CaptureClock {
    dating: Dating,
    epoch: u32,
    source: Option<ClockSource>,
    /// Monotonic clock minus stream time for arrival, the least lately: network delay only adds.
    arrival: Option<i128>,
    /// Camera clock minus stream time.
    camera: Option<i128>,
    /// Wall clock minus monotonic clock: changes only when somebody sets the wall clock.
    wall: Option<i128>,
    reported_at: Option<Duration>,
}

/// A dated picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    pub captured_at: OffsetDateTime,
    pub clock: Clock,
    /// The same time on the clock that never steps, one for all of this process; none of a recording.
    pub steady: Option<Duration>,
}

impl CaptureClock {
    /// `epoch` goes on counting over connections.
    pub const fn new(dating: Dating, epoch: u32) -> Self {
        Self {
            dating,
            epoch,
            source: None,
            arrival: None,
            camera: None,
            wall: None,
            reported_at: None,
        }
    }

    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Dates the picture at stream time `t`; `reference` is the camera's own time where a sender
    /// report told it.
    pub fn date(
        &mut self,
        t: Nanos,
        reference: Option<OffsetDateTime>,
        Arrival { wall, monotonic, vouched }: Arrival,
    ) -> Dated {
        let policy = match self.dating {
            Dating::Recording { start } => {
                let captured_at = start + Duration::from_nanos(t);
                return self.dated(captured_at, ClockSource::Recording, None, None);
            }
            Dating::Camera(policy) => policy,
        };
        let stream = i128::from(t);
        let wall_ns = wall.unix_timestamp_nanos();
        let monotonic_ns = monotonic.as_nanos() as i128;
        let offset = wall_ns - monotonic_ns;
        self.watch_wall(offset);
        let newest = monotonic_ns - stream;
        // Down at once, up slowly: delay is one-sided, drift is slow.
        let arrival = match self.arrival {
            Some(old) if newest > old => old + (newest - old) / 1000,
            _ => newest,
        };
        self.arrival = Some(arrival);
        let steady = u64::try_from(arrival + stream).ok().map(Duration::from_nanos);
        // By the box's wall clock.
        let arrival = arrival + offset;
        let skew = reference.map(|reference| {
            let camera = reference.unix_timestamp_nanos() - stream;
            if self.camera.is_some_and(|old| millis(camera - old).abs() > STEP_MS) {
                self.epoch += 1;
            }
            self.camera = Some(camera);
            self.reported_at = Some(monotonic);
            millis(camera - arrival)
        });
        let by_arrival = || at(arrival + stream).unwrap_or(wall);
        let age = self.reported_at.map(|at| monotonic.saturating_sub(at).as_millis() as u64);
        let agreed = skew.is_some_and(|skew| skew.abs() <= TOLERANCE_MS);
        let dated = match (policy, reference) {
            (ClockPolicy::Rtcp | ClockPolicy::RtcpOrArrival, Some(reference)) if agreed => {
                self.dated(reference, ClockSource::Rtcp, skew, age)
            }
            (ClockPolicy::RtcpOrArrival | ClockPolicy::Arrival, _) if vouched => {
                self.dated(by_arrival(), ClockSource::Arrival, skew, None)
            }
            _ => self.dated(by_arrival(), ClockSource::Unknown, skew, age),
        };
        Dated { steady, ..dated }
    }

    fn watch_wall(&mut self, offset: i128) {
        if self.wall.is_some_and(|old| millis(offset - old).abs() > STEP_MS) {
            self.epoch += 1;
        }
        self.wall = Some(offset);
    }

    fn dated(
        &mut self,
        captured_at: OffsetDateTime,
        source: ClockSource,
        offset_ms: Option<i64>,
        age_ms: Option<u64>,
    ) -> Dated {
        if self.source.is_some_and(|old| old != source) {
            self.epoch += 1;
        }
        self.source = Some(source);
        Dated {
            captured_at: captured_at.to_offset(LOCAL),
            clock: Clock { source, offset_ms, age_ms, epoch: self.epoch },
            steady: None,
        }
    }
}

fn millis(nanos: i128) -> i64 {
    i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
}

fn at(unix_ns: i128) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(unix_ns).ok()
}

/// A time of the NTP era (nanoseconds since 1900) as sender reports carry it.
pub fn from_ntp(nanos: u64) -> Option<OffsetDateTime> {
    const NTP_TO_UNIX_S: i128 = 2_208_988_800;
    at(i128::from(nanos) - NTP_TO_UNIX_S * 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2026-11-21 08:00:00 UTC);

    fn step(
        clock: &mut CaptureClock,
        ms: u64,
        delay: u64,
        camera: Option<i64>,
        jump: i64,
    ) -> Dated {
        let t = ms * 1_000_000;
        let monotonic = Duration::from_millis(ms + delay + 5000);
        let wall = START + Duration::from_millis(ms + delay) + time::Duration::milliseconds(jump);
        let reference = camera
            .map(|skew| START + Duration::from_millis(ms) + time::Duration::milliseconds(skew));
        clock.date(t, reference, Arrival { wall, monotonic, vouched: true })
    }

    /// The same on a box for whose clock nobody vouches.
    fn unvouched(clock: &mut CaptureClock, ms: u64, camera: Option<i64>) -> ClockSource {
        let at = |ms: i64| START + time::Duration::milliseconds(ms);
        let monotonic = Duration::from_millis(ms + 5000);
        let wall = at(ms as i64);
        let reference = camera.map(|skew| at(ms as i64 + skew));
        let arrival = Arrival { wall, monotonic, vouched: false };
        clock.date(ms * 1_000_000, reference, arrival).clock.source
    }

    #[test]
    fn arrival_ignores_network_delay() {
        let mut clock = CaptureClock::new(Dating::Camera(ClockPolicy::RtcpOrArrival), 0);
        step(&mut clock, 0, 20, None, 0);
        let late = step(&mut clock, 100, 400, None, 0);
        let error = late.captured_at - (START + Duration::from_millis(120));
        assert!(error.abs() < Duration::from_millis(2), "{error}");
        assert_eq!(late.clock.source, ClockSource::Arrival);
        assert_eq!(late.captured_at.offset(), LOCAL);
    }

    #[test]
    fn sender_reports_win_and_open_an_epoch() {
        let mut clock = CaptureClock::new(Dating::Camera(ClockPolicy::RtcpOrArrival), 0);
        assert_eq!(step(&mut clock, 0, 20, None, 0).clock.epoch, 0);
        let dated = step(&mut clock, 100, 20, Some(-300), 0);
        assert_eq!((dated.clock.source, dated.clock.epoch), (ClockSource::Rtcp, 1));
        assert_eq!(
            dated.captured_at,
            START + Duration::from_millis(100) - Duration::from_millis(300)
        );
        assert_eq!(dated.clock.offset_ms, Some(-320));
    }

    #[test]
    fn a_camera_living_in_1970_is_not_believed() {
        let insane = Some(-1_000_000_000_000);
        let mut clock = CaptureClock::new(Dating::Camera(ClockPolicy::RtcpOrArrival), 0);
        assert_eq!(step(&mut clock, 0, 20, insane, 0).clock.source, ClockSource::Arrival);
        let mut strict = CaptureClock::new(Dating::Camera(ClockPolicy::Rtcp), 0);
        assert_eq!(step(&mut strict, 0, 20, insane, 0).clock.source, ClockSource::Unknown);
    }

    #[test]
    fn without_reports_a_strict_camera_has_no_known_clock() {
        let mut clock = CaptureClock::new(Dating::Camera(ClockPolicy::Rtcp), 0);
        assert_eq!(step(&mut clock, 0, 20, None, 0).clock.source, ClockSource::Unknown);
    }

    #[test]
    fn two_clocks_that_disagree_with_nobody_to_vouch_are_unknown() {
        for policy in [ClockPolicy::Rtcp, ClockPolicy::RtcpOrArrival, ClockPolicy::Arrival] {
            for skew in [3 * 3_600_000, -3 * 3_600_000, 5_000, -5_000] {
                let mut clock = CaptureClock::new(Dating::Camera(policy), 0);
                let source = unvouched(&mut clock, 0, Some(skew));
                assert_eq!(source, ClockSource::Unknown, "{policy:?} {skew} ms");
            }
        }
        let camera = |skew| {
            let policy = Dating::Camera(ClockPolicy::RtcpOrArrival);
            unvouched(&mut CaptureClock::new(policy, 0), 0, skew)
        };
        assert_eq!(camera(Some(-300)), ClockSource::Rtcp, "they agree");
        assert_eq!(camera(None), ClockSource::Unknown, "the box's clock alone");
    }

    #[test]
    fn a_synchronised_box_is_believed_against_its_camera() {
        let mut clock = CaptureClock::new(Dating::Camera(ClockPolicy::RtcpOrArrival), 0);
        let dated = step(&mut clock, 0, 20, Some(3 * 3_600_000), 0);
        assert_eq!(dated.clock.source, ClockSource::Arrival);
        assert_eq!(dated.clock.offset_ms, Some(3 * 3_600_000 - 20), "and the offset is told");
        let mut strict = CaptureClock::new(Dating::Camera(ClockPolicy::Rtcp), 0);
        let dated = step(&mut strict, 0, 20, Some(3 * 3_600_000), 0);
        assert_eq!(dated.clock.source, ClockSource::Unknown);
    }

    #[test]
    fn steps_of_either_clock_open_an_epoch() {
        let mut clock = CaptureClock::new(Dating::Camera(ClockPolicy::RtcpOrArrival), 3);
        assert_eq!(step(&mut clock, 0, 20, Some(0), 0).clock.epoch, 3);
        assert_eq!(step(&mut clock, 100, 20, Some(40), 0).clock.epoch, 3, "jitter is no step");
        assert_eq!(step(&mut clock, 200, 20, Some(1500), 0).clock.epoch, 4, "the camera's clock");
        assert_eq!(step(&mut clock, 300, 20, Some(1500), 3000).clock.epoch, 5, "the box's clock");
    }

    #[test]
    fn a_recording_counts_from_its_start() {
        let mut clock = CaptureClock::new(Dating::Recording { start: START }, 0);
        let arrival = Arrival { wall: START, monotonic: Duration::ZERO, vouched: false };
        let dated = clock.date(1_500_000_000, None, arrival);
        assert_eq!(dated.captured_at, START + Duration::from_millis(1500));
        assert_eq!(dated.clock.source, ClockSource::Recording);
    }

    #[test]
    fn ntp_era_zero() {
        assert_eq!(from_ntp(2_208_988_800_000_000_000), Some(OffsetDateTime::UNIX_EPOCH));
    }
}
