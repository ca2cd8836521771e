//! The board on which every camera's state hangs: written by the cameras' loops, read by metrics,
//! `/status` and the log. Writing costs a short lock that only the camera's own readers share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use contract::VehicleClass;
use contract::manifest;
use judge::lamp::Light;
use time::OffsetDateTime;
use uuid::Uuid;

use super::camera::{
    Analysed, CameraClock, CameraState, CameraStatus, ClockCheck, LampStatus, LastFinding,
    LastVehicle, PaceStatus,
};
use crate::clock::Clock;
use crate::config::Fps;
use crate::onvif::SetBy;
use crate::pace::Present;
use crate::wire::WireState;

/// Is told of every change of a camera's state: its id, the state, why.
pub type Observer = Box<dyn Fn(&str, CameraState, &str) + Send + Sync>;

/// Whoever is told, shared by all cameras of a board.
#[derive(Clone, Default)]
struct Told(Arc<OnceLock<Observer>>);

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Told").field(&self.0.get().is_some()).finish()
    }
}

/// All cameras of the agent.
#[derive(Debug, Clone)]
pub struct Board {
    clock: Arc<dyn Clock>,
    told: Told,
    cameras: Arc<Mutex<BTreeMap<String, CameraHandle>>>,
}

/// One camera's place on the board.
#[derive(Debug, Clone)]
pub struct CameraHandle {
    id: Arc<str>,
    clock: Arc<dyn Clock>,
    told: Told,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug)]
struct Record {
    state: CameraState,
    detail: String,
    since: OffsetDateTime,
    arriving: Option<(Duration, f64)>,
    pace: Option<PaceStatus>,
    clock: Option<manifest::Clock>,
    lamps: Vec<LampStatus>,
    sight: Option<&'static str>,
    last_vehicle: Option<LastVehicle>,
    last_finding: Option<LastFinding>,
    analysed: Option<Analysed>,
    frames: u64,
    last_frame: Option<Duration>,
    /// Smoothed time between frames, seconds.
    interval: Option<f64>,
    last_captured_at: Option<OffsetDateTime>,
    camera_clock: Option<CameraClock>,
    wires: BTreeMap<String, WireState>,
    dropped: BTreeMap<&'static str, u64>,
    reconnects: u64,
}

/// Weight of the newest interval in the smoothed one: about the last twenty frames count.
const SMOOTHING: f64 = 0.1;
/// Weight of the newest second in the rate of arrival.
const ARRIVAL: f64 = 0.3;
/// Without a frame for this long, the rate shown is zero.
const SILENCE: Duration = Duration::from_secs(3);

impl Board {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, told: Told::default(), cameras: Arc::default() }
    }

    /// The camera's place, made when first asked for.
    pub fn camera(&self, id: &str) -> CameraHandle {
        let mut cameras = lock(&self.cameras);
        let handle = cameras.entry(id.to_owned()).or_insert_with(|| {
            let handle = self.place(id);
            handle.publish_state(CameraState::Connecting);
            handle
        });
        handle.clone()
    }

    fn place(&self, id: &str) -> CameraHandle {
        CameraHandle {
            id: id.into(),
            clock: self.clock.clone(),
            told: self.told.clone(),
            record: Arc::new(Mutex::new(Record {
                state: CameraState::Connecting,
                detail: String::new(),
                since: self.clock.now(),
                arriving: None,
                pace: None,
                clock: None,
                lamps: Vec::new(),
                sight: None,
                last_vehicle: None,
                last_finding: None,
                analysed: None,
                frames: 0,
                last_frame: None,
                interval: None,
                last_captured_at: None,
                camera_clock: None,
                wires: BTreeMap::new(),
                dropped: BTreeMap::new(),
                reconnects: 0,
            })),
        }
    }

    /// Its place where it has one, else one that nobody sees: what is still said of a camera that was
    /// taken out does not bring it back.
    pub fn of(&self, id: &str) -> CameraHandle {
        let known = lock(&self.cameras).get(id).cloned();
        known.unwrap_or_else(|| self.place(id))
    }

    /// It is watched no more. Its metrics stay, as of one that stopped and has nothing to be alarmed by.
    pub fn remove(&self, id: &str) {
        if let Some(handle) = lock(&self.cameras).remove(id) {
            handle.forget();
        }
        metrics::gauge!("edge_camera_fps", "camera" => id.to_owned()).set(0.0);
    }

    /// By the clock that dates what is on it.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Tells `observer` from now on; the first one stays.
    pub fn observe(&self, observer: Observer) {
        let _ = self.told.0.set(observer);
    }

    pub fn snapshot(&self) -> Vec<CameraStatus> {
        lock(&self.cameras).values().map(CameraHandle::status).collect()
    }

    /// Brings the metrics that age by themselves up to date; called when they are read.
    pub fn publish(&self) {
        for camera in self.snapshot() {
            let id = camera.id;
            metrics::gauge!("edge_camera_fps", "camera" => id.clone()).set(camera.fps);
            if let Some(age) = camera.last_frame_age_ms {
                metrics::gauge!("edge_camera_last_frame_age_seconds", "camera" => id)
                    .set(age as f64 / 1000.0);
            }
        }
    }
}

impl CameraHandle {
    /// As [`Board::observe`], of all cameras of this one's board.
    pub fn observe(&self, observer: Observer) {
        let _ = self.told.0.set(observer);
    }

    /// Sets the state; a change is logged and counted once.
    pub fn state(&self, state: CameraState, detail: impl Into<String>) {
        let detail = detail.into();
        let mut record = lock(&self.record);
        if record.state == state && record.detail == detail {
            return;
        }
        let before = record.state;
        record.state = state;
        record.detail.clone_from(&detail);
        if before != state {
            record.since = self.clock.now();
        }
        drop(record);
        let camera = &*self.id;
        match state {
            CameraState::Failed
            | CameraState::Stalled
            | CameraState::ClockUnknown
            | CameraState::Moved
            | CameraState::Defocused
            | CameraState::Blinded => {
                tracing::warn!(camera, state = state.name(), detail, "camera needs attention");
            }
            _ => tracing::info!(camera, state = state.name(), detail, "camera"),
        }
        if before != state {
            if let Some(tell) = self.told.0.get() {
                tell(camera, state, &detail);
            }
            self.publish_state(state);
        }
    }

    /// Says what is looked at from now on.
    pub fn analyses(&self, analysed: Analysed) {
        let before = lock(&self.record).analysed.replace(analysed);
        if before != Some(analysed) {
            let Analysed { stream, width, height, decoder } = analysed;
            tracing::info!(camera = &*self.id, ?stream, width, height, decoder, "first picture");
        }
    }

    /// It is set up anew: what was known of its lamps, their wires and its clock is of another set-up.
    pub fn forget(&self) {
        let (wires, id) = {
            let mut record = lock(&self.record);
            record.lamps.clear();
            (record.camera_clock, record.clock, record.sight) = (None, None, None);
            record.pace = None;
            (std::mem::take(&mut record.wires), self.id.to_string())
        };
        for lamp in wires.into_keys() {
            let labels = [("camera", id.clone()), ("lamp", lamp)];
            metrics::gauge!("edge_lamp_wire_good", &labels).set(1.0);
        }
        metrics::gauge!("edge_camera_clock_beyond_bound", "camera" => id).set(0.0);
    }

    /// Shows what the camera's own clock was found to be; a change of the finding is logged.
    pub fn clock(&self, found: CameraClock) {
        let id = || self.id.to_string();
        let before = lock(&self.record).camera_clock.replace(found.clone()).map(|b| b.outcome);
        match found.outcome {
            ClockCheck::Compared { difference, beyond_bound } => {
                metrics::gauge!("edge_camera_clock_difference_seconds", "camera" => id())
                    .set(difference.ms as f64 / 1000.0);
                metrics::gauge!("edge_camera_clock_beyond_bound", "camera" => id())
                    .set(f64::from(u8::from(beyond_bound)));
                metrics::gauge!("edge_camera_clock_follows_ntp", "camera" => id())
                    .set(f64::from(u8::from(difference.set_by == SetBy::Ntp)));
                let was = matches!(before, Some(ClockCheck::Compared { beyond_bound: true, .. }));
                if beyond_bound && !was {
                    tracing::warn!(camera = &*self.id, "the camera's clock is {difference}");
                }
            }
            ClockCheck::Failed { problem } => {
                // No old number stands for what is not known.
                metrics::gauge!("edge_camera_clock_difference_seconds", "camera" => id())
                    .set(f64::NAN);
                metrics::counter!("edge_camera_clock_failures_total", "camera" => id())
                    .increment(1);
                if !matches!(before, Some(ClockCheck::Failed { .. })) {
                    tracing::warn!(camera = &*self.id, problem, "the camera's clock is not known");
                }
            }
        }
    }

    /// Shows how a lamp's picture and wire stand; an alarm is logged and counted once.
    pub fn wire(&self, lamp: &str, state: WireState) {
        let before = {
            let mut record = lock(&self.record);
            match record.wires.get_mut(lamp) {
                Some(known) => Some(std::mem::replace(known, state)),
                None => record.wires.insert(lamp.to_owned(), state),
            }
        };
        if before == Some(state) {
            return;
        }
        let good = !state.is_alarm();
        let labels = [("camera", self.id.to_string()), ("lamp", lamp.to_owned())];
        metrics::gauge!("edge_lamp_wire_good", &labels).set(f64::from(u8::from(good)));
        if good {
            tracing::info!(camera = &*self.id, lamp, state = state.name(), "wire of a lamp");
            return;
        }
        let [camera, lamp_label] = labels;
        let labels = [camera, lamp_label, ("state", state.name().to_owned())];
        metrics::counter!("edge_lamp_wire_alarms_total", &labels).increment(1);
        tracing::warn!(
            camera = &*self.id,
            lamp,
            state = state.name(),
            "lamp is unreadable by its wire"
        );
    }

    /// Counts an analysed frame.
    pub fn frame(&self, captured_at: OffsetDateTime) {
        let now = self.clock.monotonic();
        let mut record = lock(&self.record);
        if let Some(last) = record.last_frame {
            let newest = now.saturating_sub(last).as_secs_f64();
            record.interval = Some(match record.interval {
                Some(old) => old + SMOOTHING * (newest - old),
                None => newest,
            });
        }
        record.frames += 1;
        record.last_frame = Some(now);
        record.last_captured_at = Some(captured_at);
        drop(record);
        metrics::counter!("edge_camera_frames_total", "camera" => self.id.to_string()).increment(1);
    }

    /// Says how many frames came and were decoded within `span`.
    pub fn arrived(&self, frames: u64, span: Duration) {
        let rate = frames as f64 / span.as_secs_f64().max(1e-3);
        let now = self.clock.monotonic();
        let mut record = lock(&self.record);
        let before = record.arriving.map_or(rate, |(_, before)| before);
        record.arriving = Some((now, before + ARRIVAL * (rate - before)));
    }

    /// Says how often the camera is looked at.
    pub fn paced(&self, Fps { least, most }: Fps, present: Present) {
        lock(&self.record).pace = Some(PaceStatus { least, most, present });
        for (bound, fps) in [("least", least), ("most", most), ("present", present.fps)] {
            let labels = [("camera", self.id.to_string()), ("bound", bound.to_owned())];
            metrics::gauge!("edge_camera_pace_fps", &labels).set(f64::from(fps));
        }
    }

    /// Says what the last picture shows of the street, and how its time is known.
    pub fn shows(&self, sight: &'static str, clock: &manifest::Clock) {
        let mut record = lock(&self.record);
        record.sight = Some(sight);
        if record.clock.as_ref() != Some(clock) {
            record.clock = Some(clock.clone());
        }
    }

    /// Says what a lamp shows at `at`.
    pub fn lamp(&self, name: &str, light: Option<Light>, at: OffsetDateTime) {
        let mut record = lock(&self.record);
        let known = record.lamps.iter().position(|lamp| lamp.name == name);
        let index = known.unwrap_or_else(|| {
            let name = name.to_owned();
            let (light, last) = (None, None);
            record.lamps.push(LampStatus {
                name,
                light,
                since: None,
                unreadable_since: None,
                last,
            });
            record.lamps.len() - 1
        });
        let lamp = &mut record.lamps[index];
        lamp.light = light;
        match light {
            None => lamp.unreadable_since = lamp.unreadable_since.or(Some(at)),
            Some(_) => {
                lamp.unreadable_since = None;
                if lamp.last != light {
                    (lamp.last, lamp.since) = (light, Some(at));
                }
            }
        }
    }

    /// Says who was followed last.
    pub fn vehicle(&self, class: VehicleClass, at: OffsetDateTime) {
        lock(&self.record).last_vehicle = Some(LastVehicle { class, at });
    }

    /// Says what was found last.
    pub fn finding(&self, act: &str, at: OffsetDateTime, evidence_id: Uuid) {
        lock(&self.record).last_finding = Some(LastFinding { act: act.into(), at, evidence_id });
    }

    /// Counts something dropped, by reason.
    pub fn dropped(&self, reason: &'static str, count: u64) {
        *lock(&self.record).dropped.entry(reason).or_default() += count;
        let labels = [("camera", self.id.to_string()), ("reason", reason.to_owned())];
        metrics::counter!("edge_camera_dropped_total", &labels).increment(count);
    }

    /// Counts a reconnection.
    pub fn reconnected(&self) {
        let mut record = lock(&self.record);
        record.reconnects += 1;
        // The pause is not a frame interval.
        record.last_frame = None;
        record.analysed = None;
        drop(record);
        metrics::counter!("edge_camera_reconnects_total", "camera" => self.id.to_string())
            .increment(1);
    }

    pub fn status(&self) -> CameraStatus {
        let now = self.clock.monotonic();
        let record = lock(&self.record);
        let age = record.last_frame.map(|last| now.saturating_sub(last));
        let fps = match (record.interval, age) {
            (Some(interval), Some(age)) if interval > 0.0 && age < SILENCE => 1.0 / interval,
            _ => 0.0,
        };
        CameraStatus {
            id: self.id.to_string(),
            state: record.state,
            detail: record.detail.clone(),
            since: record.since,
            arriving_fps: record
                .arriving
                .filter(|(at, _)| now.saturating_sub(*at) < SILENCE)
                .map_or(0.0, |(_, rate)| rate),
            pace: record.pace,
            clock: record.clock.clone(),
            lamps: record.lamps.clone(),
            sight: record.sight,
            last_vehicle: record.last_vehicle,
            last_finding: record.last_finding.clone(),
            analysed: record.analysed,
            frames: record.frames,
            fps,
            last_frame_age_ms: age.map(|age| age.as_millis() as u64),
            last_captured_at: record.last_captured_at,
            camera_clock: record.camera_clock.clone(),
            wires: record.wires.clone(),
            dropped: record.dropped.clone(),
            reconnects: record.reconnects,
        }
    }

    fn publish_state(&self, state: CameraState) {
        for one in CameraState::ALL {
            let labels = [("camera", self.id.to_string()), ("state", one.name().to_owned())];
            metrics::gauge!("edge_camera_state", &labels).set(f64::from(u8::from(one == state)));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain values, each changed in one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Simulated;

    #[test]
    fn rate_and_age_follow_the_frames() {
        let clock = Simulated::at(OffsetDateTime::UNIX_EPOCH);
        let board = Board::new(Arc::new(clock.clone()));
        let camera = board.camera("c1");
        for _ in 0..50 {
            clock.advance(Duration::from_millis(100));
            camera.frame(clock.now());
        }
        clock.advance(Duration::from_millis(70));
        let status = board.camera("c1").status();
        assert_eq!(status.frames, 50);
        assert!((status.fps - 10.0).abs() < 0.01, "{}", status.fps);
        assert_eq!(status.last_frame_age_ms, Some(70));
        clock.advance(Duration::from_secs(10));
        assert_eq!(camera.status().fps, 0.0, "a silent camera has no rate");
    }

    #[test]
    fn drops_are_kept_apart_by_camera_and_reason() {
        let board = Board::new(Arc::new(Simulated::at(OffsetDateTime::UNIX_EPOCH)));
        board.camera("a").dropped("late", 2);
        board.camera("a").dropped("late", 1);
        board.camera("b").dropped("queue_full", 5);
        let shot = board.snapshot();
        assert_eq!(shot[0].dropped, BTreeMap::from([("late", 3)]));
        assert_eq!(shot[1].dropped, BTreeMap::from([("queue_full", 5)]));
        board.camera("b").state(CameraState::Failed, "401 Unauthorized");
        assert_eq!(board.snapshot()[1].state, CameraState::Failed);
        assert_eq!(board.snapshot()[0].state, CameraState::Connecting);
    }
}
