//! What a technician may draw and set: one row a thing. The page builds itself from these rows, the
//! write-back knows by them which keys are its own. Geometry of a new rule is one more row; the test
//! below asks the configuration's own readers, so a rule whose geometry has no row fails it.

use serde::Serialize;

/// A word in both languages of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Name {
    pub vi: &'static str,
    pub en: &'static str,
}

const fn name(vi: &'static str, en: &'static str) -> Name {
    Name { vi, en }
}

/// How often a section may stand in a camera's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// The camera's table itself.
    Camera,
    /// `[camera.key]`.
    One,
    /// `[[camera.key]]`.
    Many,
}

/// A section of a camera's table.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Section {
    pub key: &'static str,
    pub count: Count,
    #[serde(flatten)]
    pub name: Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `[[x, y], [x, y]]`.
    Segment,
    /// Two or more points in order.
    Line,
    /// Three or more corners.
    Polygon,
    /// Several polygons under one key.
    Polygons,
    /// `[x, y, width, height]`.
    Box,
    /// `{ at = [x, y], metres = [x, y] }`, several.
    Survey,
}

/// One drawable thing.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Shape {
    pub section: &'static str,
    pub key: &'static str,
    pub kind: Kind,
    /// Fewest and most points.
    pub points: [usize; 2],
    #[serde(flatten)]
    pub name: Name,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Takes {
    Text,
    Number {
        unit: &'static str,
    },
    Flag,
    One {
        of: &'static [&'static str],
    },
    Several {
        of: &'static [&'static str],
    },
    /// `["06:00-09:00"]`.
    Spans,
}

/// What has to be said beside a drawing for it to mean something.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Field {
    pub section: &'static str,
    pub key: &'static str,
    #[serde(flatten)]
    pub takes: Takes,
    /// In a new section, as TOML; empty: left out.
    pub first: &'static str,
    pub called: Name,
}

const fn section(key: &'static str, count: Count, vi: &'static str, en: &'static str) -> Section {
    Section { key, count, name: name(vi, en) }
}

/// Every section, in the order of the page.
pub const SECTIONS: [Section; 13] = [
    section("", Count::Camera, "Nút giao và khung hình", "Junction and picture"),
    section("exits", Count::Many, "Lối ra", "Exit"),
    section("lamp", Count::Many, "Đèn tín hiệu", "Lamp"),
    section("lanes", Count::Many, "Làn đường", "Lane"),
    section("solid_line", Count::Many, "Vạch liền", "Solid line"),
    section("one_way", Count::Many, "Đường một chiều", "One-way road"),
    section("emergency_lane", Count::Many, "Làn dừng khẩn cấp", "Emergency lane"),
    section("forbidden", Count::Many, "Đường cấm", "Prohibited road"),
    section("no_stopping", Count::Many, "Nơi cấm dừng, cấm đỗ", "No stopping"),
    section("turn_ban", Count::Many, "Cấm rẽ, cấm quay đầu", "Turn ban"),
    section("speed", Count::One, "Đo tốc độ", "Speed"),
    section("average_speed", Count::One, "Tốc độ trung bình", "Average speed"),
    section("plate_hidden", Count::One, "Nơi đọc rõ biển số", "Where plates are legible"),
];

const MOST: usize = 24;

const fn shape(
    section: &'static str,
    key: &'static str,
    kind: Kind,
    vi: &'static str,
    en: &'static str,
) -> Shape {
    let points = match kind {
        Kind::Segment | Kind::Box => [2, 2],
        Kind::Line => [2, MOST],
        Kind::Polygon | Kind::Polygons => [3, MOST],
        Kind::Survey => [4, MOST],
    };
    Shape { section, key, kind, points, name: name(vi, en) }
}

/// Every drawable thing.
pub const SHAPES: [Shape; 17] = [
    shape("", "approach", Kind::Polygon, "Đường đến vạch dừng", "Road before the line"),
    shape("", "stop_line", Kind::Segment, "Vạch dừng", "Stop line"),
    shape("", "mask", Kind::Polygons, "Vùng bỏ qua", "Masked area"),
    shape("", "detect", Kind::Box, "Phần ảnh phân tích", "Part analysed"),
    shape("", "closer", Kind::Box, "Phần nhìn gần hơn", "Looked at closer"),
    shape("exits", "line", Kind::Segment, "Vạch lối ra", "Exit line"),
    shape("lamp", "region", Kind::Box, "Khung đèn", "Lamp head"),
    shape("lanes", "area", Kind::Polygon, "Vùng làn", "Area of the lane"),
    shape("solid_line", "line", Kind::Line, "Vạch", "Line"),
    shape("one_way", "area", Kind::Polygon, "Vùng", "Area"),
    shape(
        "one_way",
        "direction",
        Kind::Segment,
        "Chiều quy định (từ, đến)",
        "Direction (from, to)",
    ),
    shape("emergency_lane", "area", Kind::Polygon, "Vùng làn", "Area of the lane"),
    shape("forbidden", "area", Kind::Polygon, "Vùng cấm", "Area"),
    shape("no_stopping", "area", Kind::Polygon, "Vùng cấm", "Area"),
    shape("speed", "survey", Kind::Survey, "Điểm đo đạc", "Surveyed points"),
    shape("average_speed", "line", Kind::Segment, "Vạch ghi giờ", "Timing line"),
    shape("plate_hidden", "area", Kind::Polygon, "Vùng", "Area"),
];

const MOVEMENTS: Takes = Takes::Several { of: &["straight", "left", "right", "u_turn"] };
const CLASSES: Takes = Takes::Several { of: &["motorbike", "car", "bus", "truck"] };
const KMH: Takes = Takes::Number { unit: "km/h" };
const METRES: Takes = Takes::Number { unit: "m" };
const SECONDS: Takes = Takes::Number { unit: "s" };
const LIGHTS: Takes = Takes::Several { of: &["red", "amber", "green"] };
const ACTS: Takes = Takes::One {
    of: &[
        "stop_place",
        "park_place",
        "park_junction",
        "park_railway",
        "stop_one_way_left",
        "stop_tunnel",
        "stop_bridge",
        "expressway_stop",
    ],
};

const fn field(
    section: &'static str,
    key: &'static str,
    takes: Takes,
    first: &'static str,
    called: Name,
) -> Field {
    Field { section, key, takes, first, called }
}

const NAME: Name = name("Tên", "Name");
const HOURS: Name = name("Giờ có hiệu lực", "Hours");
const FOR: Name = name("Loại xe", "Vehicles");
const LIMIT: Name = name("Tốc độ cho phép", "Limit");
const TOLERANCE: Name = name("Dung sai", "Tolerance");

/// Every field. Others of a section are kept as they stand in the file.
pub const FIELDS: [Field; 38] = [
    field(
        "exits",
        "movement",
        one(&["straight", "left", "right", "u_turn"]),
        r#""straight""#,
        name("Hướng đi", "Movement"),
    ),
    field("lamp", "name", Takes::Text, r#""1""#, NAME),
    field("lamp", "layout", one(&["vertical", "horizontal"]), "", name("Xếp đèn", "Layout")),
    field(
        "lamp",
        "lights",
        LIGHTS,
        r#"["red", "amber", "green"]"#,
        name("Các đèn, từ trên hoặc từ trái", "Lights, from the top or left"),
    ),
    field("lamp", "arrows", Takes::Flag, "", name("Đèn mũi tên", "Arrows")),
    field("lamp", "controls", MOVEMENTS, r#"["straight"]"#, name("Điều khiển hướng", "Controls")),
    field("lanes", "name", Takes::Text, r#""1""#, NAME),
    field("lanes", "allowed", MOVEMENTS, r#"["straight"]"#, name("Được phép", "Allowed")),
    field("solid_line", "name", Takes::Text, r#""1""#, NAME),
    field(
        "solid_line",
        "between",
        one(&["directions", "lanes", "expressway_lanes"]),
        r#""directions""#,
        name("Phân chia", "Parts"),
    ),
    field(
        "solid_line",
        "from",
        one(&["both", "left", "right"]),
        "",
        name("Cấm đè từ phía", "Forbidden from"),
    ),
    field("one_way", "name", Takes::Text, r#""1""#, NAME),
    field("one_way", "expressway", Takes::Flag, "", name("Đường cao tốc", "Expressway")),
    field("one_way", "hours", Takes::Spans, "", HOURS),
    field("emergency_lane", "name", Takes::Text, r#""1""#, NAME),
    field("forbidden", "name", Takes::Text, r#""1""#, NAME),
    field("forbidden", "classes", CLASSES, r#"["truck"]"#, FOR),
    field("forbidden", "hours", Takes::Spans, "", HOURS),
    field("no_stopping", "name", Takes::Text, r#""1""#, NAME),
    field("no_stopping", "act", ACTS, "", name("Hành vi", "Act")),
    field("no_stopping", "seconds", SECONDS, "60", name("Đứng lâu hơn", "Standing longer than")),
    field("no_stopping", "classes", CLASSES, "", FOR),
    field("no_stopping", "hours", Takes::Spans, "", HOURS),
    field(
        "turn_ban",
        "movements",
        Takes::Several { of: &["left", "right", "u_turn"] },
        r#"["u_turn"]"#,
        name("Cấm", "Bans"),
    ),
    field("turn_ban", "classes", CLASSES, "", FOR),
    field("turn_ban", "hours", Takes::Spans, "", HOURS),
    field("speed", "limit", KMH, "50", LIMIT),
    field("speed", "tolerance", KMH, "3", TOLERANCE),
    field("speed", "hours", Takes::Spans, "", HOURS),
    field("average_speed", "from", Takes::Text, "", name("Từ camera", "From the camera")),
    field("average_speed", "metres", METRES, "", name("Quãng đường ngắn nhất", "Shortest way")),
    field("average_speed", "known_to", METRES, "", name("Sai số quãng đường", "Known to")),
    field("average_speed", "limit", KMH, "", LIMIT),
    field("average_speed", "tolerance", KMH, "", TOLERANCE),
    field("average_speed", "hours", Takes::Spans, "", HOURS),
    field("plate_hidden", "name", Takes::Text, r#""1""#, NAME),
    field(
        "plate_hidden",
        "height",
        Takes::Number { unit: "0–1" },
        "0.18",
        name("Xe cao ít nhất", "Vehicles at least so high"),
    ),
    field("plate_hidden", "hours", Takes::Spans, "", HOURS),
];

const fn one(of: &'static [&'static str]) -> Takes {
    Takes::One { of }
}

/// The shapes of a section.
pub fn shapes(section: &str) -> impl Iterator<Item = &'static Shape> {
    SHAPES.iter().filter(move |shape| shape.section == section)
}

/// Keys of a section that are edited here; all others are kept as they stand.
pub fn keys(section: &str) -> impl Iterator<Item = &'static str> {
    let fields = FIELDS.iter().filter(move |field| field.section == section);
    shapes(section).map(|shape| shape.key).chain(fields.map(|field| field.key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::{self, ConfigError};

    const CAMERA: &str = "[[camera]]\nid = \"a\"\nplace = \"b\"\ndirection = \"c\"\nplan = \"d\"\n";
    /// No key is near to it.
    const STRANGE: &str = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";

    fn complaints(text: &str) -> Vec<ConfigError> {
        match config::parse(&[("site.toml".into(), text.to_owned())]) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.0,
        }
    }

    /// A table below the camera: its header for each step of the way.
    fn document(path: &[(String, Count)], line: &str) -> String {
        let mut text = CAMERA.to_owned();
        let mut name = "camera".to_owned();
        for (key, count) in path {
            name = format!("{name}.{key}");
            text += &match count {
                Count::Many => format!("[[{name}]]\n"),
                _ => format!("[{name}]\n"),
            };
        }
        text + line + "\n"
    }

    /// What the reader says of `key` where it is written so.
    fn said(path: &[(String, Count)], key: &str, value: &str) -> Vec<String> {
        let end = format!(".{key}");
        complaints(&document(path, &format!("{key} = {value}")))
            .into_iter()
            .filter(|it| it.key.ends_with(&end))
            .map(|it| it.problem)
            .collect()
    }

    /// The keys that the reader takes there, as it lists them itself.
    fn taken(path: &[(String, Count)]) -> Vec<String> {
        let all = said(path, STRANGE, "0");
        let list = all.iter().find_map(|it| it.split_once("here may stand: "));
        let (_, list) = list.unwrap_or_else(|| panic!("{path:?}: {all:?}"));
        list.split(", ").map(str::to_owned).collect()
    }

    fn kind(problem: &str) -> Option<Kind> {
        [
            ("two or more points in order", Kind::Line),
            ("must be two points", Kind::Segment),
            ("polygon", Kind::Polygon),
            ("[x, y, width, height]", Kind::Box),
            ("made of points", Kind::Survey),
        ]
        .into_iter()
        .find_map(|(words, kind)| problem.contains(words).then_some(kind))
    }

    /// Every place of geometry that the readers know, by trying each key with a wrong value.
    fn drawn(path: &[(String, Count)], found: &mut BTreeSet<(String, String, String)>) {
        for key in taken(path) {
            let single = said(path, &key, "true");
            let listed = said(path, &key, "[true]");
            let below = |count| [path, &[(key.clone(), count)]].concat();
            if let Some(kind) = single.iter().find_map(|it| kind(it)) {
                note(path, &key, kind, found);
            } else if listed.iter().any(|it| it.contains("written as [[")) {
                drawn(&below(Count::Many), found);
            } else if listed.iter().any(|it| kind(it) == Some(Kind::Polygon)) {
                note(path, &key, Kind::Polygons, found);
            } else if single.iter().any(|it| it.contains("a section [")) {
                drawn(&below(Count::One), found);
            }
        }
    }

    fn note(
        path: &[(String, Count)],
        key: &str,
        kind: Kind,
        found: &mut BTreeSet<(String, String, String)>,
    ) {
        let mut steps: Vec<&str> = path.iter().map(|(key, _)| key.as_str()).collect();
        // Points of a survey are a list of tables of their own.
        let key = if kind == Kind::Survey { steps.pop().unwrap_or_default() } else { key };
        found.insert((steps.join("."), key.to_owned(), format!("{kind:?}")));
    }

    #[test]
    fn everything_that_the_readers_take_for_a_drawing_has_its_row() {
        let mut found = BTreeSet::new();
        drawn(&[], &mut found);
        let rows: BTreeSet<_> = SHAPES
            .iter()
            .map(|row| (row.section.to_owned(), row.key.to_owned(), format!("{:?}", row.kind)))
            .collect();
        assert_eq!(rows, found, "left: the table, right: what the readers know");
    }

    #[test]
    fn every_key_of_the_table_is_one_that_the_readers_take() {
        for section in &SECTIONS {
            let path = match section.count {
                Count::Camera => Vec::new(),
                count => vec![(section.key.to_owned(), count)],
            };
            for key in keys(section.key) {
                // A way between two cameras is read where something is said of it.
                let way = section.key == "average_speed" && key != "limit";
                let value = if way { "true\nlimit = 50" } else { "true" };
                let unknown =
                    said(&path, key, value).into_iter().find(|it| it.contains("not known"));
                assert_eq!(unknown, None, "{}.{key}", section.key);
            }
        }
        let sections: Vec<_> = SECTIONS.iter().map(|section| section.key).collect();
        let of = SHAPES.iter().map(|row| row.section).chain(FIELDS.iter().map(|row| row.section));
        of.for_each(|section| assert!(sections.contains(&section), "{section}"));
    }

    #[test]
    fn a_site_of_first_values_loads() {
        let drawing = |kind: Kind, key: &str| match (kind, key) {
            (Kind::Box, "closer") => "[0.3, 0.3, 0.2, 0.2]",
            (Kind::Box, _) => "[0.2, 0.2, 0.3, 0.3]",
            (Kind::Polygon, "approach") => "[[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]",
            (Kind::Polygon, _) => "[[0.1, 0.9], [0.2, 0.5], [0.4, 0.5], [0.4, 0.9]]",
            (Kind::Polygons, _) => "[[[0.0, 0.0], [0.2, 0.0], [0.2, 0.1]]]",
            (Kind::Segment, "stop_line") => "[[0.1, 0.6], [0.9, 0.6]]",
            (Kind::Segment | Kind::Line, _) => "[[0.3, 0.2], [0.7, 0.2]]",
            (Kind::Survey, _) => {
                "[{ at = [0.3, 0.9], metres = [0, 0] }, { at = [0.7, 0.9], metres = [7, 0] }, \
                  { at = [0.58, 0.4], metres = [7, 40] }, { at = [0.42, 0.4], metres = [0, 40] }]"
            }
        };
        let mut text = CAMERA.to_owned();
        for section in SECTIONS.iter().filter(|section| section.key != "average_speed") {
            text += &match section.count {
                Count::Camera => String::new(),
                Count::One => format!("[camera.{}]\n", section.key),
                Count::Many => format!("[[camera.{}]]\n", section.key),
            };
            for shape in shapes(section.key) {
                text += &format!("{} = {}\n", shape.key, drawing(shape.kind, shape.key));
            }
            let fields = FIELDS.iter().filter(|field| field.section == section.key);
            for field in fields.filter(|field| !field.first.is_empty()) {
                // What the page reads as JSON and the file as TOML.
                let json: serde_json::Value = serde_json::from_str(field.first).unwrap();
                assert!(!json.is_null());
                text += &format!("{} = {}\n", field.key, field.first);
            }
        }
        assert_eq!(complaints(&text), [], "{text}");
    }
}
