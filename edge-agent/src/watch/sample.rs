//! A plain camera for tests: line across the middle, travel upwards, three exits, one head and a
//! right arrow.

use contract::{Movement, Rule};

use crate::config::{Camera, ClockPolicy, Exit, Lamp, LampLayout, Light};

pub fn camera() -> Camera {
    Camera {
        id: "cam-01".into(),
        uri: None,
        credentials: None,
        place: "Ngã tư thử nghiệm".into(),
        direction: "Nam → Bắc".into(),
        plan: "KH-1".into(),
        km: None,
        gps: None,
        lane: None,
        verification: None,
        analysed_fps: 10.0,
        clock: ClockPolicy::RtcpOrArrival,
        rules: Rule::ALL.to_vec(),
        stop_line: [[0.1, 0.6], [0.9, 0.6]],
        approach: vec![[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]],
        exits: vec![
            Exit { movement: Movement::Straight, line: [[0.25, 0.3], [0.75, 0.3]] },
            Exit { movement: Movement::Left, line: [[0.1, 0.58], [0.1, 0.2]] },
            Exit { movement: Movement::Right, line: [[0.9, 0.58], [0.9, 0.2]] },
        ],
        detect: None,
        closer: None,
        mask: Vec::new(),
        lamps: vec![
            Lamp {
                name: "main".into(),
                region: [0.92, 0.05, 0.03, 0.12],
                layout: LampLayout::Vertical,
                lights: vec![Light::Red, Light::Amber, Light::Green],
                controls: vec![Movement::Straight, Movement::Left],
            },
            Lamp {
                name: "right_arrow".into(),
                region: [0.92, 0.18, 0.03, 0.04],
                layout: LampLayout::Vertical,
                lights: vec![Light::Green],
                controls: vec![Movement::Right],
            },
        ],
        right_on_red: false,
        red_grace_ms: 300,
        stop_seconds: 3.0,
        stop_depth: 0.25,
    }
}
