//! A box that is simulated second by second: cameras take what networks there are in turn, and what
//! does not fit is late.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use time::OffsetDateTime;

use super::*;
use crate::clock::Simulated;

const RANGE: Fps = Fps { least: 4.0, most: 10.0 };

struct Machine {
    clock: Simulated,
    governor: Governor,
    sets: f64,
    cameras: Vec<Simulation>,
    luck: StdRng,
}

struct Simulation {
    pace: Arc<Pace>,
    /// Seconds of a set for a picture.
    cost: f64,
    /// Of its own loop, besides.
    own: f64,
    moves: bool,
}

/// What a second gave each camera: pictures looked at, and due.
type Second = Vec<(f64, f64)>;

impl Machine {
    fn new(sets: usize, costs: &[f64], seed: u64) -> Self {
        let clock = Simulated::at(OffsetDateTime::UNIX_EPOCH);
        let governor = Governor::new(sets, Arc::new(clock.clone()));
        let camera = |&cost| Simulation { pace: governor.pace(RANGE), cost, own: 0.0, moves: true };
        let cameras = costs.iter().map(camera).collect();
        Self { clock, governor, sets: sets as f64, cameras, luck: StdRng::seed_from_u64(seed) }
    }

    /// A second in which a picture costs `times` what it does, give or take a fifth: where all that is
    /// due does not fit, all have the same share of it.
    fn second(&mut self, times: f64) -> Second {
        let due = |camera: &Simulation| f64::from(camera.pace.present().fps);
        let luck = &mut self.luck;
        let costs: Vec<f64> =
            self.cameras
                .iter()
                .map(|camera| {
                    if camera.moves {
                        camera.cost * times * luck.random_range(0.8..1.2)
                    } else {
                        0.0
                    }
                })
                .collect();
        let takes: f64 = self.cameras.iter().zip(&costs).map(|(it, cost)| due(it) * cost).sum();
        let fits = (self.sets / takes).min(1.0);
        let mut second = Vec::new();
        for (camera, cost) in self.cameras.iter().zip(costs) {
            let seen = due(camera) * fits;
            second.push((seen, due(camera)));
            for _ in 0..seen.round() as u32 {
                let eyes = Duration::from_secs_f64(cost);
                let own = Duration::from_secs_f64(camera.own);
                camera.pace.worked(own + eyes, Duration::ZERO, eyes);
            }
        }
        self.clock.advance(Duration::from_secs(1));
        self.governor.govern();
        second
    }

    fn seconds(&mut self, n: usize, times: f64) -> Vec<Second> {
        (0..n).map(|_| self.second(times)).collect()
    }

    fn rates(&self) -> Vec<f32> {
        self.cameras.iter().map(|camera| camera.pace.present().fps).collect()
    }
}

#[test]
fn a_box_that_bears_its_cameras_leaves_them_alone() {
    let mut simulated = Machine::new(2, &[0.03; 4], 1);
    for second in simulated.seconds(60, 1.0) {
        assert!(second.iter().all(|(seen, due)| *seen == 10.0 && *due == 10.0), "{second:?}");
    }
}

#[test]
fn an_overload_is_shared_and_ends() {
    // Four cameras of ten pictures for which there is time for seven.
    let mut simulated = Machine::new(1, &[0.03; 4], 1);
    simulated.seconds(10, 1.0);
    for second in simulated.seconds(60, 1.0) {
        for (seen, due) in second {
            assert!((6.0..8.0).contains(&due) && seen > 0.97 * due, "{seen} of {due}");
        }
    }
    // The engine is as fast again: hotter it was.
    simulated.seconds(40, 0.5);
    assert_eq!(simulated.rates(), [10.0; 4]);
    // As good as standing still: the least is kept, and what does not fit is late.
    simulated.seconds(20, 5.0);
    assert_eq!(simulated.rates(), [4.0; 4]);
    simulated.seconds(60, 0.5);
    assert_eq!(simulated.rates(), [10.0; 4]);
}

#[test]
fn who_sees_nothing_move_leaves_the_time_to_others() {
    let mut simulated = Machine::new(1, &[0.03; 5], 1);
    simulated.seconds(20, 1.0);
    assert!(simulated.rates().iter().all(|rate| *rate < 7.0));
    for camera in &mut simulated.cameras[2..] {
        camera.moves = false;
        camera.pace.still(true);
    }
    simulated.seconds(40, 1.0);
    assert_eq!(simulated.rates(), [10.0, 10.0, 4.0, 4.0, 4.0]);
    // One wakes: before anybody has reckoned with it, it is looked at as often as the others.
    simulated.cameras[4].moves = true;
    simulated.cameras[4].pace.still(false);
    assert_eq!(simulated.rates()[4], 10.0);
}

#[test]
fn a_camera_that_goes_leaves_its_share() {
    let mut simulated = Machine::new(1, &[0.03; 6], 1);
    simulated.seconds(20, 1.0);
    assert!(simulated.rates().iter().all(|rate| *rate < 5.5));
    simulated.cameras.truncate(2);
    simulated.seconds(2, 1.0);
    assert_eq!(simulated.rates(), [10.0; 2]);
}

#[test]
fn a_camera_whose_cable_is_cut_leaves_its_share_too() {
    let mut simulated = Machine::new(1, &[0.03; 6], 1);
    simulated.seconds(20, 1.0);
    assert!(simulated.rates().iter().all(|rate| *rate < 5.5));
    // Their loops live on, and try to connect again.
    let silent = simulated.cameras.split_off(2);
    simulated.seconds(5, 1.0);
    assert_eq!(simulated.rates(), [10.0; 2]);
    simulated.cameras.extend(silent);
    simulated.seconds(10, 1.0);
    assert!(simulated.rates().iter().all(|rate| *rate < 5.5), "{:?}", simulated.rates());
}

#[test]
fn all_that_wake_at_once_are_reckoned_with_within_a_second() {
    let mut simulated = Machine::new(1, &[0.03; 6], 1);
    simulated.seconds(20, 1.0);
    let wake = |simulated: &mut Machine, moves: bool| {
        for camera in &mut simulated.cameras {
            camera.moves = moves;
            camera.pace.still(!moves);
        }
    };
    wake(&mut simulated, false);
    simulated.seconds(120, 1.0);
    wake(&mut simulated, true);
    simulated.second(1.0);
    assert!(simulated.rates().iter().all(|rate| *rate < 6.0), "{:?}", simulated.rates());
}

#[test]
fn a_loop_that_waited_for_the_sealer_is_soon_forgiven() {
    let mut simulated = Machine::new(4, &[0.02; 2], 1);
    simulated.seconds(20, 1.0);
    let blocked = Duration::from_secs(10);
    simulated.cameras[0].pace.worked(blocked, Duration::ZERO, Duration::from_millis(20));
    simulated.second(1.0);
    simulated.seconds(8, 1.0);
    assert_eq!(simulated.rates(), [10.0; 2]);
}

#[test]
fn one_whose_own_loop_is_slow_slows_nobody_else() {
    let mut simulated = Machine::new(4, &[0.02; 3], 1);
    simulated.cameras[0].own = 0.13;
    simulated.seconds(20, 1.0);
    let rates = simulated.rates();
    assert!((5.0..6.5).contains(&rates[0]) && rates[1..] == [10.0; 2], "{rates:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever cameras cost and the engine bears: rates are in range, the worst camera has nearly
    /// what the mean has, they do not sway, and nearly nothing is late where the least fits.
    #[test]
    fn rates_are_fair_and_steady(
        costs in prop::collection::vec(0.005f64..0.08, 1..16),
        sets in 1usize..8,
        seed in any::<u64>(),
    ) {
        let mut simulated = Machine::new(sets, &costs, seed);
        simulated.seconds(30, 1.0);
        let settled = simulated.seconds(60, 1.0);
        let fits = costs.iter().sum::<f64>() * 4.0 * 1.2 < 0.85 * sets as f64;
        let mut means = Vec::new();
        for second in &settled {
            let seen: Vec<f64> = second.iter().map(|(seen, _)| *seen).collect();
            let mean = seen.iter().sum::<f64>() / seen.len() as f64;
            let worst = seen.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!(worst >= 0.8 * mean, "{worst} of {mean}");
            for (seen, due) in second {
                prop_assert!((4.0..=10.0).contains(due));
                prop_assert!(!fits || *seen >= 0.9 * due, "{seen} of {due}");
            }
            means.push(second.iter().map(|(_, due)| due).sum::<f64>() / second.len() as f64);
        }
        let (low, high) = means.iter().fold((f64::INFINITY, 0.0f64), |(low, high), mean| (low.min(*mean), high.max(*mean)));
        prop_assert!(high - low <= 0.15 * high, "{low} to {high}");
    }

    #[test]
    fn what_is_shared_out_fits(
        cameras in prop::collection::vec((2.0f32..10.0, 0.0f32..20.0, 0.0f64..0.2), 0..20),
        room in 0.1f64..8.0,
    ) {
        let cameras: Vec<(Fps, f64)> = cameras
            .into_iter()
            .map(|(least, more, cost)| (Fps { least, most: least + more }, cost))
            .collect();
        let takes = |level: f32| -> f64 {
            cameras.iter().map(|(it, cost)| f64::from(level.clamp(it.least, it.most)) * cost).sum()
        };
        let level = level(&cameras, room);
        prop_assert!(takes(level) <= room + 1e-6 || takes(level) <= takes(0.0) + 1e-6);
        prop_assert!(level == MOST_FPS as f32 || takes(level + 0.02) >= room - 1e-6);
    }
}
