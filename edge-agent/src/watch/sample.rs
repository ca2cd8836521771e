//! A plain camera for tests: line across the middle, travel upwards, three exits, one head and a
//! right arrow.

use std::sync::Arc;

use contract::{Act, Movement};
use judge::Site;
use judge::lamp::Light;
use judge::rules::red_light::RedLight;
use judge::rules::stop_line::StopLine;
use judge::site::{Exit, Junction};

use crate::config::{Camera, ClockPolicy, Fps, Lamp, LampLayout};

/// The acts that the sample is judged by.
pub const ACTS: [Act; 2] = [Act::RED_LIGHT, Act::STOP_LINE];

/// The sample with only these acts, in this order.
pub fn judging(acts: &[Act]) -> Camera {
    let mut camera = camera();
    let rules = std::mem::take(&mut camera.site.rules);
    let of = |act: &Act| rules.iter().find(|rule| rule.act() == *act).cloned();
    camera.site.rules = acts.iter().filter_map(of).collect();
    camera
}

pub fn red_light() -> RedLight {
    RedLight { right_on_red: false, grace_ms: 300, amber_grace_ms: None }
}

pub fn camera() -> Camera {
    Camera {
        id: "cam-01".into(),
        uri: None,
        onvif: None,
        substream: None,
        credentials: None,
        place: "Ngã tư thử nghiệm".into(),
        direction: "Nam → Bắc".into(),
        plan: "KH-1".into(),
        km: None,
        gps: None,
        lane: None,
        verification: None,
        analysed_fps: Fps::fixed(10.0),
        clock: ClockPolicy::RtcpOrArrival,
        site: Site {
            junction: Some(Junction {
                stop_line: [[0.1, 0.6], [0.9, 0.6]],
                approach: vec![[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]],
                exits: vec![
                    Exit { movement: Movement::Straight, line: [[0.25, 0.3], [0.75, 0.3]] },
                    Exit { movement: Movement::Left, line: [[0.1, 0.58], [0.1, 0.2]] },
                    Exit { movement: Movement::Right, line: [[0.9, 0.58], [0.9, 0.2]] },
                ],
            }),
            rules: vec![
                Arc::new(red_light()),
                Arc::new(StopLine { seconds: 3.0, depth: 0.25, grace_ms: 300 }),
            ],
        },
        detect: None,
        closer: None,
        mask: Vec::new(),
        lamps: vec![
            Lamp {
                name: "main".into(),
                region: [0.92, 0.05, 0.03, 0.12],
                layout: LampLayout::Vertical,
                lights: vec![Light::Red, Light::Amber, Light::Green],
                arrows: false,
                controls: vec![Movement::Straight, Movement::Left],
                wired: None,
            },
            Lamp {
                name: "right_arrow".into(),
                region: [0.92, 0.18, 0.03, 0.04],
                layout: LampLayout::Vertical,
                lights: vec![Light::Green],
                arrows: false,
                controls: vec![Movement::Right],
                wired: None,
            },
        ],
    }
}
