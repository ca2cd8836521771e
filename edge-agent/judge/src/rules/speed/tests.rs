use contract::VehicleClass;
use contract::geometry::BBox;

use time::macros::datetime;

use super::limits::is_act;
use super::*;
use crate::rules::Elsewhere;
use crate::script::{Luck, holds_again, site};
use crate::track::Observation;

const SIZE: [u32; 2] = [1920, 1080];

/// A camera over the road, looking along it.
#[derive(Debug, Clone, Copy)]
struct Camera {
    /// Metres above the road, radians down and aside, pixels.
    height: f64,
    down: f64,
    aside: f64,
    focal: f64,
}

impl Camera {
    const PLAIN: Self = Self { height: 7.0, down: 0.263, aside: 0.0, focal: 1500.0 };

    fn any(luck: &mut Luck) -> Self {
        let height = luck.uniform(5.5, 9.0);
        let focal = luck.uniform(1350.0, 1550.0);
        Self { height, down: (height / 26.0).atan(), aside: luck.uniform(-0.12, 0.12), focal }
    }

    /// Where a place on or over the road is seen, pixels: `x` to the right, `y` ahead, `z` up.
    fn sees(&self, [x, y, z]: [f64; 3]) -> [f64; 2] {
        let (sin, cos) = self.aside.sin_cos();
        let (x, y) = (x * cos - y * sin, x * sin + y * cos);
        let (sin, cos) = self.down.sin_cos();
        let z = z - self.height;
        let (ahead, up) = (y * cos - z * sin, y * sin + z * cos);
        [960.0 + self.focal * x / ahead, 540.0 - self.focal * up / ahead]
    }

    /// A survey of six places, the picture marked to about a pixel, the road measured to 2 cm.
    fn survey(&self, luck: &mut Luck) -> String {
        let places =
            [[-5.0, 14.0], [5.0, 14.0], [-5.0, 30.0], [5.0, 30.0], [-5.0, 52.0], [5.0, 52.0]];
        let points = places.map(|[x, y]| {
            let [px, py] = self.sees([x, y, 0.0]).map(|part| part + 0.5 * luck.normal());
            let [x, y] = [x, y].map(|part| part + 0.02 * luck.normal());
            format!(
                "{{ at = [{:.5}, {:.5}], metres = [{x:.3}, {y:.3}] }}",
                px / 1920.0,
                py / 1080.0
            )
        });
        format!("survey = [{}]", points.join(", "))
    }

    fn rule(&self, luck: &mut Luck, more: &str) -> Speed {
        let text = format!("[speed]\n{}\n{more}", self.survey(luck));
        site(&text, Speed::read).unwrap().unwrap()
    }
}

/// One vehicle driving by.
#[derive(Debug, Clone, Copy)]
struct Drive {
    class: VehicleClass,
    /// km/h halfway, and how much is gained on the way.
    speed: f64,
    gained: f64,
    /// Towards the camera.
    towards: bool,
    lane: f64,
    fps: u64,
    /// How much the box's sides tremble and how far it ends above the road, in shares of its height.
    tremble: f32,
    above: f32,
    seed: u64,
}

impl Drive {
    const PLAIN: Self = Self {
        class: VehicleClass::Car,
        speed: 70.0,
        gained: 0.0,
        towards: true,
        lane: 1.5,
        fps: 10,
        tremble: 0.02,
        above: 0.0,
        seed: 1,
    };

    fn at(speed: f64) -> Self {
        Self { speed, ..Self::PLAIN }
    }

    fn any(luck: &mut Luck, speed: (f64, f64)) -> Self {
        let pick = |n: usize, luck: &mut Luck| (luck.uniform(0.0, n as f64) as usize).min(n - 1);
        Self {
            class: VehicleClass::ALL[pick(4, luck)],
            speed: luck.uniform(speed.0, speed.1),
            gained: 0.0,
            towards: pick(2, luck) == 0,
            lane: luck.uniform(-3.5, 3.5),
            fps: [5, 10, 25][pick(3, luck)],
            tremble: luck.uniform(0.02, 0.04) as f32,
            above: 0.0,
            seed: luck.0,
        }
    }

    fn bbox(&self, camera: &Camera, y: f64) -> BBox {
        let [wide, long, high] = match self.class {
            VehicleClass::Motorbike => [0.7, 1.9, 1.6],
            VehicleClass::Car => [1.8, 4.4, 1.5],
            VehicleClass::Bus => [2.5, 10.0, 3.2],
            VehicleClass::Truck => [2.4, 7.5, 3.0],
        };
        let corners = (0..8).map(|i| {
            let x = self.lane + wide * (f64::from(i & 1) - 0.5);
            let z = high * f64::from((i >> 1) & 1);
            camera.sees([x, y + long * f64::from(i >> 2), z]).map(|part| part as f32)
        });
        BBox::around(&corners.collect::<Vec<_>>())
    }

    /// Its whole way by the camera.
    fn track(&self, camera: &Camera) -> Track {
        let mut luck = Luck(self.seed);
        let mut track: Option<Track> = None;
        let phase = luck.uniform(0.0, 1.0);
        let middle = 62.0 / 2.0 / (self.speed / KMH);
        for i in 0u64.. {
            let since = (i as f64 + phase) / self.fps as f64;
            let off = (since - middle) / (2.0 * middle);
            let way = (self.speed + self.gained * off / 2.0) / KMH * since;
            let y = if self.towards { 66.0 - way } else { 4.0 + way };
            if !(4.0..66.0).contains(&y) {
                return track.unwrap();
            }
            let bbox = luck.tremble(self.bbox(camera, y), self.tremble);
            let bbox = BBox { y2: bbox.y2 - self.above * bbox.height(), ..bbox };
            let bbox = bbox.clipped(SIZE[0], SIZE[1]);
            if bbox.height() < 4.0 || bbox.width() < 2.0 {
                continue;
            }
            let seen = Observation { t: (since * 1e9) as Nanos, bbox, strong: true };
            match &mut track {
                Some(track) => track.see(seen),
                None => track = Some(Track::new(1, self.class, seen)),
            }
        }
        unreachable!()
    }
}

fn over(track: &Track) -> Scene<'static> {
    Scene {
        road: None,
        lamps: &[],
        company: &[],
        elsewhere: Elsewhere::default(),
        size: SIZE,
        now: track.last().t + SECOND,
        captured_at: None,
        ended: true,
    }
}

fn fit(rule: &Speed, track: &Track) -> Fit {
    match rule.stretch.follow(track, &over(track)) {
        Seen::Over(samples) => Fit::through(&[&samples]).unwrap(),
        _ => panic!("not over"),
    }
}

fn judged(rule: &Speed, track: &Track) -> Verdict {
    let verdict = rule.judge(track, &over(track));
    holds_again(rule, None, track, &over(track), &verdict);
    verdict
}

#[test]
fn speeds_are_measured_as_exactly_as_stated() {
    let mut all = Vec::new();
    for fps in [5, 10, 25] {
        for speed in [20.0, 40.0, 60.0, 80.0, 100.0, 120.0] {
            let mut errors = Vec::new();
            let mut stated = 0.0;
            let mut covered = 0;
            for seed in 0..300 {
                let mut luck = Luck(seed * 77 + fps);
                let camera = Camera::any(&mut luck);
                let rule = camera.rule(&mut luck, "limit = 50");
                let drive = Drive { fps, ..Drive::any(&mut luck, (speed, speed + 0.001)) };
                let fit = fit(&rule, &drive.track(&camera));
                let error = (fit.speed * KMH - speed).abs();
                let uncertainty = fit.uncertainty(rule.stretch.residual()) * KMH;
                stated += uncertainty / speed / 300.0;
                covered += usize::from(error <= uncertainty);
                errors.push(error / speed);
            }
            let p95 = p95(&mut errors);
            println!(
                "{fps} fps {speed} km/h: p95 {p95:.4}, stated {stated:.4}, {covered}/300 covered"
            );
            assert!(covered >= 285, "{fps} fps {speed} km/h: {covered} of 300");
            all.extend(errors);
        }
    }
    let p95 = p95(&mut all);
    println!("all: p95 {p95:.4}");
    assert!(p95 <= 0.03, "{p95}");
}

fn p95(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() * 95 / 100]
}

/// A plain camera's rule.
fn plain(more: &str) -> Speed {
    Camera::PLAIN.rule(&mut Luck(5), &format!("limit = 50\n{more}"))
}

#[track_caller]
fn accused(rule: &Speed, drive: Drive) -> Finding {
    match judged(rule, &drive.track(&Camera::PLAIN)) {
        Verdict::Violation(finding) => *finding,
        other => panic!("not accused: {drive:?}: {other:?}"),
    }
}

#[test]
fn whoever_is_too_fast_is_accused_at_his_best() {
    use VehicleClass::{Bus, Car, Motorbike, Truck};
    // Each with the bracket of the law that its excess may not leave upwards.
    for (class, speed, most) in [
        (Car, 62.0, 9.0),
        (Truck, 72.0, 20.0),
        (Car, 83.0, 35.0),
        (Bus, 100.0, 48.0),
        (Motorbike, 62.0, 9.0),
        (Motorbike, 70.0, 20.0),
        (Motorbike, 110.0, 58.0),
    ] {
        for towards in [true, false] {
            let rule = plain("tolerance = 2");
            let finding = accused(&rule, Drive { class, fps: 25, towards, ..Drive::at(speed) });
            assert!(finding.act.name() == "speed" && rule.accuses(&finding.act));
            let Facts::Speed(facts) = &finding.facts else { panic!("{finding:?}") };
            let found = facts.speed;
            let excess = found.excess().unwrap().floor();
            assert!((5.0..=most).contains(&excess), "{class:?} {speed}: {excess}");
            assert!((found.value - speed).abs() <= found.uncertainty.unwrap(), "{found:?}");
            assert_eq!((found.limit, found.tolerance), (Some(50.0), Some(2.0)));
            assert!((facts.distance.value / facts.took.value * KMH - found.value).abs() < 1.0);
            assert_eq!(finding.main, MomentRole::End);
        }
    }
}

#[test]
fn the_law_begins_at_five_whole_kilometres() {
    assert_eq!([0.0, 4.0, 5.0, 60.0].map(is_act), [false, false, true, true]);
}

#[test]
fn a_class_has_its_own_limit() {
    let rule = plain("[speed.limits]\ntruck = 30");
    let truck = Drive { class: VehicleClass::Truck, fps: 25, ..Drive::at(49.0) };
    let Facts::Speed(facts) = accused(&rule, truck).facts else { panic!() };
    assert_eq!(facts.speed.limit, Some(30.0));
    let car = Drive { class: VehicleClass::Car, ..truck }.track(&Camera::PLAIN);
    assert_eq!(judged(&rule, &car), Verdict::Lawful(Lawful::WithinLimit));
}

#[test]
fn a_limit_of_the_day_holds_nobody_by_night() {
    let rule = plain("hours = [\"05:00-22:00\"]");
    let track = Drive::at(90.0).track(&Camera::PLAIN);
    let at = |captured_at| rule.judge(&track, &Scene { captured_at, ..over(&track) });
    let day = datetime!(2026-11-28 21:00 +7);
    assert!(matches!(at(Some(day)), Verdict::Violation(_)), "{:?}", at(Some(day)));
    let night = datetime!(2026-11-28 22:30 +7);
    assert_eq!(at(Some(night)), Verdict::Lawful(Lawful::NotInForce));
    assert_eq!(at(None), Verdict::Abstained(Doubt::ClockUnknown));
}

#[test]
fn the_pictures_kept_are_those_of_the_measurement() {
    let rule = plain("");
    for towards in [true, false] {
        let track = Drive { towards, tremble: 0.04, ..Drive::at(90.0) }.track(&Camera::PLAIN);
        let mut album = Album::default();
        let mut most = Attention::Idle;
        for seen in &track.path {
            let so_far = track.clone().until(seen.t).unwrap();
            let scene = Scene { now: seen.t, ended: false, ..over(&so_far) };
            most = most.max(rule.attend(&so_far, &scene, &mut album));
        }
        assert_eq!(most, Attention::Suspect);
        let Verdict::Violation(finding) = judged(&rule, &track) else { panic!() };
        for (role, t) in &finding.moments {
            assert!(album.time(*role).unwrap().abs_diff(*t) <= SECOND / 4, "{role:?}");
        }
        let caption = rule.caption(&finding.facts);
        assert!(
            caption.starts_with("Chạy quá tốc độ quy định: ")
                && caption.contains("giới hạn 50 km/h")
        );
        assert_eq!(rule.marks(&Site::default(), &finding.facts)[0].len(), 5);
    }
}

#[test]
fn it_is_judged_once_it_has_left() {
    let rule = Camera::PLAIN.rule(&mut Luck(5), "limit = 30");
    let track = Drive { towards: false, ..Drive::at(50.0) }.track(&Camera::PLAIN);
    let verdicts = track.path.iter().map(|seen| {
        let so_far = track.clone().until(seen.t).unwrap();
        (seen.t, rule.judge(&so_far, &Scene { now: seen.t, ended: false, ..over(&so_far) }))
    });
    let (t, verdict) = verdicts.into_iter().find(|(_, it)| *it != Verdict::Pending).unwrap();
    let Verdict::Violation(finding) = verdict else { panic!("{verdict:?}") };
    let waited = in_seconds(t - finding.at);
    assert!((0.5..0.8).contains(&waited), "{waited}");
    assert_eq!(Verdict::Violation(finding), judged(&rule, &track));
}

/// Every case looks like the act and is none.
#[test]
fn look_alikes_are_not_accused() {
    let of = |drive: Drive| drive.track(&Camera::PLAIN);
    let fast = || of(Drive { fps: 25, ..Drive::at(90.0) });
    let middle = |track: &Track| track.path[track.path.len() / 2].t;
    let changed = |change: &dyn Fn(&mut Track)| {
        let mut track = fast();
        change(&mut track);
        track
    };
    let exchanged = changed(&|track| track.doubts.push(middle(track)));
    let weak = changed(&|track| track.path.iter_mut().for_each(|seen| seen.strong = false));
    let lost = changed(&|track| {
        let (from, to) = (middle(track) - SECOND / 2, middle(track) + SECOND / 2);
        track.path.retain(|seen| !(from..to).contains(&seen.t));
        track.gaps.push(crate::track::Gap { from, to });
    });
    let missed = changed(&|track| {
        let (from, to) = (middle(track) - SECOND / 2, middle(track) + SECOND / 2);
        track.path.retain(|seen| !(from..to).contains(&seen.t));
    });
    let cut = changed(&|track| {
        let at = track.path.len() / 2;
        track.path[at].bbox.x1 = 0.0;
    });
    let part = changed(&|track| {
        let t = middle(track);
        track.path.retain(|seen| seen.t > t);
        track.path.truncate(8);
    });
    let jumping = changed(&|track| {
        for (i, seen) in track.path.iter_mut().enumerate() {
            let by = if i % 9 < 4 { 40.0 } else { 0.0 };
            seen.bbox.y1 += by;
            seen.bbox.y2 += by;
        }
    });
    let elsewhere = changed(&|track| {
        track.path.iter_mut().for_each(|seen| {
            seen.bbox.x1 = 30.0 + seen.bbox.width();
            seen.bbox.x2 = seen.bbox.x1 + 40.0;
        })
    });
    let braking = of(Drive { gained: -70.0, fps: 25, ..Drive::at(60.0) });
    let unsure = changed(&|track| track.class_share = Some(0.5));
    use Doubt::{
        ClassUncertain, CutOff, IdentityUncertain, Inexact, LostAtLine, PoorlySeen, SeenTooLate,
    };
    let lawful = Verdict::Lawful;
    let doubt = Verdict::Abstained;
    let cases: [(&str, Track, Verdict); 15] = [
        ("within the limit", of(Drive::at(48.0)), lawful(Lawful::WithinLimit)),
        ("at the limit", of(Drive { fps: 25, ..Drive::at(50.0) }), lawful(Lawful::WithinLimit)),
        (
            "within the tolerance",
            of(Drive { fps: 25, ..Drive::at(52.0) }),
            lawful(Lawful::WithinLimit),
        ),
        ("slow", of(Drive { fps: 25, ..Drive::at(8.0) }), lawful(Lawful::WithinLimit)),
        ("perhaps faster", of(Drive { fps: 10, ..Drive::at(57.0) }), doubt(Inexact)),
        ("few pictures", of(Drive { fps: 3, ..Drive::at(115.0) }), doubt(SeenTooLate)),
        ("exchanged", exchanged, doubt(IdentityUncertain)),
        ("barely seen", weak, doubt(PoorlySeen)),
        ("lost on the way", lost, doubt(LostAtLine)),
        ("missed on the way", missed, doubt(LostAtLine)),
        ("cut by the picture's edge", cut, doubt(CutOff)),
        ("a short part of the way", part, doubt(SeenTooLate)),
        ("a box that jumps", jumping, doubt(Inexact)),
        ("beside the road", elsewhere, lawful(Lawful::NeverThere)),
        ("of an unsure class", unsure, doubt(ClassUncertain)),
    ];
    let rule = plain("tolerance = 4\n[speed.limits]\nmotorbike = 40");
    for (name, track, wanted) in cases {
        assert_eq!(judged(&rule, &track), wanted, "{name}");
    }
    // Fast at first and slow at last: never charged with more than its greatest speed.
    if let Verdict::Violation(finding) = judged(&rule, &braking) {
        let Facts::Speed(facts) = finding.facts else { panic!() };
        assert!(facts.speed.at_least() <= 95.0, "{facts:?}");
    }
}

#[track_caller]
fn measured(rule: &Speed, track: &Track) -> facts::Speed {
    let verdict = judged(rule, track);
    let Verdict::Violation(finding) = verdict else { panic!("not accused: {verdict:?}") };
    let Facts::Speed(facts) = finding.facts else { panic!("{finding:?}") };
    facts
}

/// Without the sightings of so many seconds around the middle.
fn missed(mut track: Track, seconds: f64) -> Track {
    let middle = track.path[track.path.len() / 2].t;
    let out = |seen: &Observation| in_seconds(seen.t.abs_diff(middle)) < seconds / 2.0;
    track.path.retain(|seen| !out(seen));
    track
}

#[test]
fn who_was_missed_on_the_way_is_measured_before_and_after() {
    let rule = plain("");
    let drive = Drive { fps: 25, ..Drive::at(90.0) };
    let whole = drive.track(&Camera::PLAIN);
    let parts = missed(whole.clone(), 0.65);
    let [whole, parts] = [whole, parts].map(|track| measured(&rule, &track));
    assert!((parts.speed.value - 90.0).abs() <= parts.speed.uncertainty.unwrap(), "{parts:?}");
    assert!(parts.speed.uncertainty > whole.speed.uncertainty);
    assert!(parts.distance.value < 0.65 * whole.distance.value, "{parts:?}");
    assert!(parts.took.value < 0.65 * whole.took.value, "{parts:?}");
}

/// Another, as slow, that the tracker takes for it while it is missed, however far ahead.
#[test]
fn a_leap_while_missed_is_no_speed() {
    let rule = plain("tolerance = 0");
    for tenths in 0..200u32 {
        let drive = Drive { fps: 25, seed: tenths.into(), ..Drive::at(49.0) };
        let ahead = f64::from(tenths) / 10.0;
        let other = Drive { lane: drive.lane, ..drive };
        let (one, other) = (drive.track(&Camera::PLAIN), other.track(&Camera::PLAIN));
        let later = (ahead / (49.0 / KMH) * 1e9) as Nanos;
        let leaps = one.path[one.path.len() / 2].t;
        let mut track = one.clone();
        let ahead_of = other.path.iter().filter(|seen| seen.t > leaps + later);
        track.path = one.path.iter().filter(|seen| seen.t <= leaps).copied().collect();
        track.path.extend(ahead_of.map(|seen| Observation { t: seen.t - later, ..*seen }));
        for gap in [0.0, 0.3, 0.6, 0.9, 1.2, 1.5] {
            let verdict = judged(&rule, &missed(track.clone(), gap));
            assert!(!matches!(verdict, Verdict::Violation(_)), "{ahead} {gap}: {verdict:?}");
        }
    }
}

/// Something covers a part of it for two pictures, too little to show in its height.
#[test]
fn a_place_beside_the_drive_of_all_others_does_not_count() {
    let rule = plain("");
    let whole = Drive { fps: 25, ..Drive::at(75.0) }.track(&Camera::PLAIN);
    let mut covered = whole.clone();
    let middle = covered.path.len() / 2;
    for seen in covered.path.range_mut(middle..middle + 2) {
        seen.bbox.y2 -= 0.17 * seen.bbox.height();
    }
    let speeds = [whole, covered.clone()].map(|track| fit(&rule, &track).speed * KMH);
    assert!((speeds[0] - speeds[1]).abs() > 0.0, "{speeds:?}");
    let facts = measured(&rule, &covered);
    assert!((facts.speed.value - 75.0).abs() <= 1.5, "{facts:?}");
    // At an end it may be another vehicle.
    let mut at_end = covered.clone();
    let scene = over(&covered);
    let on = |seen: &&mut Observation| rule.stretch.place(seen, &scene).is_some();
    for seen in at_end.path.iter_mut().filter(on).rev().take(3) {
        seen.bbox.y2 -= 0.17 * seen.bbox.height();
    }
    assert_eq!(judged(&rule, &at_end), Verdict::Abstained(Doubt::Inexact));
}

#[test]
fn nobody_within_the_limit_is_accused() {
    let mut passages = 0;
    let mut worst = f64::MIN;
    for seed in 0..240u64 {
        let mut luck = Luck(seed);
        let camera = Camera::any(&mut luck);
        let limit = [30.0, 50.0, 60.0, 80.0, 100.0][(seed % 5) as usize];
        let rule = camera.rule(&mut luck, &format!("limit = {limit}\ntolerance = 0"));
        for _ in 0..45 {
            // At the limit to a tenth, or below it, or gaining on the way without passing it.
            let near = luck.uniform(0.0, 1.0);
            let low = if near < 0.6 { limit - 0.1 } else { 0.5 * limit };
            let drive = Drive::any(&mut luck, (low, limit));
            let gained =
                if near < 0.3 { luck.uniform(-1.0, 1.0) * (limit - drive.speed) } else { 0.0 };
            let above = luck.uniform(-0.02, 0.05) as f32;
            let track = Drive { gained, above, ..drive }.track(&camera);
            let verdict = judged(&rule, &track);
            assert!(!matches!(verdict, Verdict::Violation(_)), "{drive:?}: {verdict:?}");
            // Not even by what the law does not charge.
            if let Seen::Over(samples) = rule.stretch.follow(&track, &over(&track))
                && let Some(fit) = Fit::through(&[&samples])
            {
                let least = (fit.speed - fit.uncertainty(rule.stretch.residual())) * KMH;
                worst = worst.max(least - limit);
            }
            passages += 1;
        }
    }
    println!("{passages} passages, {worst:.2} km/h");
    assert!(passages >= 10_000);
    assert!(worst <= 0.0, "{worst}");
}

#[test]
fn settings_are_sealed_and_restored() {
    let rule = plain("tolerance = 5\n[speed.limits]\ntruck = 40\nmotorbike = 40");
    let again = (KIND.restore)(rule.settings()).unwrap();
    assert_eq!(again.settings(), rule.settings());
    let track = Drive::at(90.0).track(&Camera::PLAIN);
    assert_eq!(again.judge(&track, &over(&track)), judged(&rule, &track));
}

#[test]
fn complaints_name_what_would_be_right() {
    let complaints = |text: &str| {
        site(&format!("[speed]\n{text}\n"), Speed::read).err().unwrap_or_default().join("\n")
    };
    let point =
        |x: f64, y: f64, mx: f64, my: f64| format!("{{ at = [{x}, {y}], metres = [{mx}, {my}] }}");
    let survey = |points: &[String]| format!("limit = 50\nsurvey = [{}]", points.join(", "));
    let corners = [
        point(0.1, 0.9, 0.0, 0.0),
        point(0.9, 0.9, 8.0, 0.0),
        point(0.6, 0.4, 8.0, 40.0),
        point(0.4, 0.4, 0.0, 40.0),
    ];
    assert_eq!(complaints(&survey(&corners)), "");
    let mut line = corners.clone();
    line[2] = point(0.5, 0.9, 4.0, 0.0);
    let mut outside = corners.clone();
    outside[0] = point(1.4, 0.9, 0.0, 0.0);
    let mut half = corners.clone();
    half[0] = "{ at = [0.1, 0.9] }".into();
    for (text, wanted) in [
        ("limit = 50".to_owned(), "site.toml:1: speed.survey is missing"),
        (survey(&corners)[11..].to_owned(), "site.toml:1: speed.limit is missing"),
        (survey(&corners[..3]), "site.toml:3: speed.survey has 3 points"),
        (survey(&line), "survey does not determine a plane"),
        (survey(&outside), "speed.survey[0].at leaves the frame"),
        (survey(&half), "speed.survey[0].metres is missing"),
        (format!("{}\ntolerance = 50", survey(&corners)), "site.toml:4: speed.tolerance is 50"),
        (
            format!("{}\n[speed.limits]\nlorry = 50", survey(&corners)),
            "speed.limits.lorry is not known",
        ),
    ] {
        let found = complaints(&text);
        assert!(found.contains(wanted), "{text:?} gave {found}");
    }
    assert_eq!(site("", Speed::read).unwrap(), None);
}
