use plate_model::{Frame, Layout, PixelFormat};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::see::SECOND;

const SIZE: [usize; 2] = [640, 360];
/// The drawn street is larger than the picture, so that the camera can turn.
const STREET: [usize; 2] = [1000, 700];
const MARGIN: [isize; 2] = [180, 170];

/// Houses, windows and kerbs.
fn street() -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(7);
    let [width, height] = STREET;
    let mut luma = vec![110u8; width * height];
    for _ in 0..260 {
        let (x, y) = (random.random_range(0..width - 60), random.random_range(0..height - 60));
        let (w, h) = (random.random_range(8..60), random.random_range(8..60));
        let shade = random.random_range(40..200);
        for row in luma.chunks_mut(width).skip(y).take(h) {
            row[x..x + w].fill(shade);
        }
    }
    luma
}

/// How the camera sees at a time.
#[derive(Clone, Copy)]
struct Shown {
    /// Pixels by which it looks more to the left and up.
    turned: [isize; 2],
    /// Pixels over which edges are smeared.
    blur: usize,
    /// Luma is multiplied by the first and the second added.
    light: [f32; 2],
    /// A bus of so many columns stands in the middle.
    bus: usize,
}

const USUAL: Shown = Shown { turned: [0, 0], blur: 0, light: [1.0, 0.0], bus: 0 };

fn picture(street: &[u8], t: u64, shown: Shown) -> Frame {
    let mut random = StdRng::seed_from_u64(t);
    let [width, height] = SIZE;
    let layout = Layout::packed(PixelFormat::I420, width as u32, height as u32);
    let mut data = vec![128; layout.bytes().unwrap()];
    let at = |x: isize, y: isize| {
        let x = (MARGIN[0] + x - shown.turned[0]) as usize;
        let y = (MARGIN[1] + y - shown.turned[1]) as usize;
        f32::from(street[y * STREET[0] + x])
    };
    let reach = shown.blur as isize;
    for y in 0..height {
        for x in 0..width {
            let (px, py) = (x as isize, y as isize);
            let sum: f32 = (-reach..=reach).map(|dx| at(px + dx, py)).sum();
            let mut luma = sum / (2 * reach + 1) as f32;
            if x.abs_diff(width / 2) < shown.bus / 2 {
                luma = if y % 40 < 20 { 150.0 } else { 90.0 };
            }
            let noise = random.random_range(-3.0..3.0);
            data[y * width + x] =
                (luma * shown.light[0] + shown.light[1] + noise).clamp(0.0, 255.0) as u8;
        }
    }
    Frame::from_vec(layout, data).unwrap()
}

/// Five pictures a second, so many seconds of each; what is told after each.
fn told(parts: &[(u64, Shown)]) -> Vec<Option<Strange>> {
    let street = street();
    let mut scenery = Scenery::default();
    let pictures = parts.iter().flat_map(|(long, shown)| (0..5 * long).map(move |_| *shown));
    pictures
        .enumerate()
        .map(|(i, shown)| {
            let t = i as u64 * SECOND / 5;
            scenery.look(t, &picture(&street, t, shown).planes())
        })
        .collect()
}

/// What is told of such a view after ten seconds; the usual one is before it and after.
fn faulty(shown: Shown) -> Strange {
    let told = told(&[(8, USUAL), (14, shown), (4, USUAL)]);
    assert!(told[..40].iter().all(Option::is_none), "{:?}", &told[..40]);
    let first = told.iter().position(Option::is_some).expect("it is noticed");
    assert!(first <= 48, "before an accusation leaves: {first}");
    let strange = told[first].unwrap();
    assert!(strange.since < 8 * SECOND && !strange.sure, "{strange:?}");
    assert!(told[48..108].iter().all(Option::is_some));
    let sure = told[108].unwrap();
    assert!(sure.sure, "{sure:?}");
    assert_eq!(told[118..].iter().flatten().count(), 0, "it sees again");
    sure
}

#[test]
fn a_camera_that_was_knocked_is_noticed_however_little() {
    // A cell is 4 px here.
    for turned in [[4, 0], [0, -4], [-9, 6], [30, -20]] {
        let strange = faulty(Shown { turned, ..USUAL });
        let Fault::Moved(by) = strange.fault else { panic!("{turned:?}: {strange:?}") };
        for (by, turned) in by.into_iter().zip(turned) {
            assert!((640.0 * by - turned as f32).abs() < 1.5, "{by} for {turned}");
        }
    }
    let strange = faulty(Shown { turned: [170, 160], ..USUAL });
    assert_eq!(strange.fault, Fault::Elsewhere);
}

#[test]
fn focus_and_light_that_are_lost_are_told_apart() {
    let strange = faulty(Shown { blur: 8, ..USUAL });
    assert_eq!(strange.fault, Fault::Defocused);
    for light in [[0.0, 20.0], [0.02, 90.0], [1.0, 220.0]] {
        let strange = faulty(Shown { light, ..USUAL });
        assert_eq!(strange.fault, Fault::Blinded, "{light:?}");
    }
}

#[test]
fn light_buses_and_a_little_wind_are_nothing_strange() {
    let usual = [
        Shown { light: [0.6, 10.0], ..USUAL },
        Shown { light: [1.3, 10.0], ..USUAL },
        Shown { bus: 300, ..USUAL },
        Shown { turned: [1, 0], ..USUAL },
        Shown { blur: 1, ..USUAL },
    ];
    for shown in usual {
        let told = told(&[(8, USUAL), (6, shown), (2, USUAL)]);
        assert_eq!(told.iter().flatten().count(), 0, "{:?}", told.iter().flatten().next());
    }
}

#[test]
fn what_it_should_show_outlasts_a_connection() {
    let street = street();
    let mut scenery = Scenery::default();
    let look = |scenery: &mut Scenery, seconds: u64, turned: [isize; 2]| {
        let times = (0..5 * seconds).map(|i| i * SECOND / 5);
        let shown = Shown { turned, ..USUAL };
        times.map(|t| scenery.look(t, &picture(&street, t, shown).planes())).last().unwrap()
    };
    assert_eq!(look(&mut scenery, 8, [0, 0]), None);
    scenery.reconnected();
    let strange = look(&mut scenery, 12, [9, 0]).unwrap();
    assert!(matches!(strange, Strange { fault: Fault::Moved(_), sure: true, .. }), "{strange:?}");
    scenery.reconnected();
    assert!(look(&mut scenery, 2, [9, 0]).is_some(), "still turned");
    scenery.reconnected();
    assert_eq!(look(&mut scenery, 2, [0, 0]), None);
}
