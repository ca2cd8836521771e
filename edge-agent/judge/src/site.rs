//! What is drawn and set for one camera, as far as anything is judged by it. Geometry is normalised:
//! 0 to 1 of the picture's width and height.

use std::sync::Arc;

use contract::{Act, Movement, VehicleClass};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use settings::shapes::{self, Point};
use settings::{Node, Reader};

use crate::road::approach_side;
use crate::rules::{self, Rule};

/// Words for movements in site files.
pub const MOVEMENTS: [(&str, Movement); 4] = [
    ("straight", Movement::Straight),
    ("left", Movement::Left),
    ("right", Movement::Right),
    ("u_turn", Movement::UTurn),
];

/// Words for classes in site files.
pub const CLASSES: [(&str, VehicleClass); 4] = [
    (VehicleClass::Motorbike.name(), VehicleClass::Motorbike),
    (VehicleClass::Car.name(), VehicleClass::Car),
    (VehicleClass::Bus.name(), VehicleClass::Bus),
    (VehicleClass::Truck.name(), VehicleClass::Truck),
];

/// One camera's road and what is judged on it.
#[derive(Debug, Clone, Default)]
pub struct Site {
    pub junction: Option<Junction>,
    pub rules: Vec<Arc<dyn Rule>>,
}

/// A stop line, the road before it and the ways out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Junction {
    /// The stop line's two ends.
    pub stop_line: [Point; 2],
    /// Road before the line; travel goes from here over the line.
    pub approach: Vec<Point>,
    pub exits: Vec<Exit>,
}

/// A line beyond the stop line; crossing it tells the movement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    pub movement: Movement,
    pub line: [Point; 2],
}

impl Site {
    /// Reads what a camera's table draws and sets. Without `rules`: every act that it is enough for.
    pub fn read(table: &Reader<'_>) -> Self {
        let acts = rules::ALL.map(|kind| (kind.act, kind.act));
        let junction = Junction::read(table);
        let wanted = table.words("rules", &acts);
        let mut site = Self { junction, rules: Vec::new() };
        for kind in &rules::ALL {
            let rule = (kind.read)(table, site.junction.as_ref());
            let asked = wanted.as_ref().map(|wanted| wanted.contains(&kind.act));
            match (rule, asked) {
                (Some(rule), None | Some(true)) => site.rules.push(rule.into()),
                (None, Some(true)) => table.reject(
                    "rules",
                    format!("names {:?}, but what it needs is not drawn", kind.act),
                ),
                (_, None | Some(false)) => {}
            }
        }
        site
    }

    /// The rule that may accuse of `act`.
    pub fn rule(&self, act: &Act) -> Option<&dyn Rule> {
        self.rules.iter().find(|rule| rule.accuses(act)).map(AsRef::as_ref)
    }

    /// The stop line as something that was broken.
    pub fn stop_line(&self) -> Vec<Vec<Point>> {
        self.junction.iter().map(|junction| junction.stop_line.to_vec()).collect()
    }

    /// The exits of a movement as something that was broken.
    pub fn way_out(&self, movement: Option<Movement>) -> Vec<Vec<Point>> {
        let exits = self.junction.iter().flat_map(|junction| &junction.exits);
        exits
            .filter(|exit| Some(exit.movement) == movement)
            .map(|exit| exit.line.to_vec())
            .collect()
    }

    /// From [`Site`]'s own JSON.
    pub fn restore(site: Value) -> Result<Self, String> {
        let Written { junction, rules } =
            serde_json::from_value(site).map_err(|error| error.to_string())?;
        let restored = |rule: WrittenRule| {
            let kind = rules::ALL.iter().find(|kind| kind.act == rule.act);
            let kind = kind.ok_or_else(|| format!("no rule is known for {:?}", rule.act))?;
            let restored = (kind.restore)(rule.settings);
            restored.map(Arc::from).map_err(|error| format!("{}: {error}", rule.act))
        };
        Ok(Self { junction, rules: rules.into_iter().map(restored).collect::<Result<_, _>>()? })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    junction: Option<Junction>,
    rules: Vec<WrittenRule>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    act: String,
    settings: Value,
}

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rules: Vec<WrittenRule> = self
            .rules
            .iter()
            .map(|rule| WrittenRule { act: rule.act().into(), settings: rule.settings() })
            .collect();
        let mut site = serializer.serialize_struct("Site", 2)?;
        site.serialize_field("junction", &self.junction)?;
        site.serialize_field("rules", &rules)?;
        site.end()
    }
}

impl Junction {
    fn read(table: &Reader<'_>) -> Option<Self> {
        let keys = ["stop_line", "approach", "exits"];
        let elsewhere = || rules::SECTIONS.iter().any(|section| table.has(section));
        if !keys.iter().any(|key| table.has(key)) && (table.has("rules") || elsewhere()) {
            return None;
        }
        let junction = Self {
            stop_line: shapes::line(table, "stop_line"),
            approach: approach(table),
            exits: exits(table),
        };
        if junction.approach.len() >= 3
            && approach_side(junction.stop_line, &junction.approach).is_none()
        {
            table.reject(
                "approach",
                "lies evenly on both sides of stop_line: it must lie before the line",
            );
        }
        Some(junction)
    }
}

fn approach(table: &Reader<'_>) -> Vec<Point> {
    let polygon = |node: &Node| shapes::polygon(table, node, "approach").unwrap_or_default();
    match table.take("approach") {
        Some(node) => polygon(node),
        None => {
            table.reject(
                "approach",
                "is missing: the road before the line, e.g. [[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]",
            );
            Vec::new()
        }
    }
}

fn exits(table: &Reader<'_>) -> Vec<Exit> {
    let mut exits = Vec::new();
    for exit in table.tables("exits") {
        let movement = exit.text("movement", "straight");
        let line = shapes::line(&exit, "line");
        if let Some(movement) = exit.word("movement", &movement, &MOVEMENTS) {
            exits.push(Exit { movement, line });
        }
        exit.finish();
    }
    if exits.is_empty() {
        table.reject(
            "exits",
            "is missing: draw at least one, e.g. \
             exits = [{ movement = \"straight\", line = [[0.3, 0.2], [0.7, 0.2]] }]",
        );
    }
    exits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::site;

    const PLACES: &str = r#"
        rules = ["stop_place", "prohibited_road", "speed"]

        [[no_stopping]]
        name = "trước cổng trường"
        area = [[0.1, 0.9], [0.2, 0.5], [0.4, 0.5], [0.4, 0.9]]
        act = "park_junction"

        [[forbidden]]
        name = "cấm tải"
        area = [[0.1, 0.9], [0.2, 0.5], [0.4, 0.5], [0.4, 0.9]]
        classes = ["truck"]
        hours = ["06:00-09:00", "16:00-20:00"]

        [speed]
        limit = 50
        survey = [
            { at = [0.1, 0.9], metres = [0, 0] },
            { at = [0.9, 0.9], metres = [8, 0] },
            { at = [0.6, 0.4], metres = [8, 40] },
            { at = [0.4, 0.4], metres = [0, 40] },
        ]
    "#;

    #[test]
    fn rules_about_places_need_no_junction_and_answer_for_their_acts() {
        let site = site(PLACES, Site::read).unwrap();
        let again = Site::restore(serde_json::to_value(&site).unwrap()).unwrap();
        for site in [&site, &again] {
            let rule = |act| site.rule(&Act::named(act)).map(|rule| rule.act().to_string());
            let found = ["park_junction", "stop_place", "prohibited_road", "speed", "red_light"];
            let wanted =
                ["stop_place", "stop_place", "prohibited_road", "speed"].map(str::to_owned);
            assert_eq!(found.map(rule)[..4], wanted.map(Some));
            assert_eq!(rule("red_light"), None);
        }
    }

    #[test]
    fn what_is_not_drawn_is_not_judged() {
        let none = |table: &Reader<'_>| assert!(Site::read(table).rules.is_empty());
        let complaints = site("rules = [\"speed\"]", none).unwrap_err();
        assert!(complaints[0].contains("names \"speed\", but what it needs is not drawn"));
    }
}
