//! Ways over the junction: up the picture, over the line at y = 600, and out by one of its exits, or
//! not.

use super::luck::Luck;
use super::scene::Way;

/// From `x`, nearly half the time before the line.
pub fn straight(luck: &mut Luck, x: f32) -> Way {
    let took = luck.between(2.6, 6.0);
    let out = x.clamp(320.0, 680.0);
    vec![(0.0, x, 955.0), (took * 0.45, x, 580.0), (took, out, 90.0)]
}

pub fn left(luck: &mut Luck, x: f32) -> Way {
    let (took, y) = (luck.between(3.0, 6.0), luck.between(420.0, 480.0));
    vec![(0.0, x, 955.0), (took * 0.45, x, 560.0), (took, -120.0, y)]
}

pub fn right(luck: &mut Luck, x: f32) -> Way {
    left(luck, 1000.0 - x).into_iter().map(|(t, x, y)| (t, 1000.0 - x, y)).collect()
}

pub fn leans_left(luck: &mut Luck, x: f32) -> Way {
    let took = luck.between(3.0, 6.0);
    vec![(0.0, x, 955.0), (took, luck.between(330.0, 450.0).min(x), 90.0)]
}

pub fn swings(luck: &mut Luck, x: f32) -> Way {
    let took = luck.between(4.0, 6.0);
    let (a, b) = (x - luck.between(20.0, 60.0), x - luck.between(80.0, 130.0));
    vec![(0.0, x, 955.0), (1.6, a, 560.0), (2.3, b, 480.0), (took, 1120.0, 420.0)]
}

pub fn round(luck: &mut Luck, _: f32) -> Way {
    let (x, back) = (luck.between(560.0, 680.0), luck.between(200.0, 290.0));
    let pace = luck.between(0.9, 1.4);
    [
        (0.0, x, 955.0),
        (2.0, x, 560.0),
        (3.0, x - 90.0, luck.between(340.0, 390.0)),
        (4.2, back + 50.0, 470.0),
        (6.5, back, 900.0),
        (6.8, back, 990.0),
    ]
    .map(|(t, x, y)| (t * pace, x, y))
    .to_vec()
}

pub fn rolls_back(luck: &mut Luck, _: f32) -> Way {
    let x = luck.between(480.0, 800.0);
    let (over, back) = (luck.between(480.0, 570.0), luck.between(700.0, 900.0));
    vec![(0.0, x, 955.0), (2.0, x, over), (luck.between(5.0, 8.0), x, back), (11.0, x, 955.0)]
}

/// A way by where it comes to the line.
pub type Going = fn(&mut Luck, f32) -> Way;

pub fn going(luck: &mut Luck, to: Going) -> Way {
    let x = luck.between(330.0, 670.0);
    to(luck, x)
}

/// When the contact point comes to a height of the picture.
pub fn at(way: &Way, y: f32) -> f32 {
    let step = way.windows(2).find(|pair| pair[0].2 > y && pair[1].2 <= y);
    step.map_or(0.0, |pair| {
        let share = (pair[0].2 - y) / (pair[0].2 - pair[1].2);
        pair[0].0 + share * (pair[1].0 - pair[0].0)
    })
}
