use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config;

const SITE: &str = include_str!("../../../agent.toml");
/// As a technician wrote it: comments everywhere.
const COMMENTED: &str = r#"# Head of the file.

[[camera]]
id = "a" # its name
place = "b"
direction = "c"
plan = "d"
# Measured by night.
stop_line = [[0.10, 0.60], [0.90, 0.60]] # across
approach = [
  [0.05, 1.0],   # kerb
  [0.15, 0.60],
  [0.85, 0.60],
  [0.95, 1.0],   # median
]
exits = [ { movement = "straight", line = [[0.30, 0.20], [0.70, 0.20]] } ]

# About the lamp.
[[camera.lamp]]
name = "main"
region = [0.90, 0.05, 0.03, 0.12]
lights = ["red", "amber", "green"] # from above
controls = ["straight"]

# A chapter of its own.

# Of the lane.
[[camera.lanes]]
name = "1"
area = [[0.1, 1.0], [0.15, 0.6], [0.4, 0.6], [0.4, 1.0]]
allowed = ["straight"]

[camera.speed] # surveyed in May
limit = 50
survey = [
  { at = [0.30, 0.90], metres = [0, 0] },   # manhole
  { at = [0.70, 0.90], metres = [7, 0] },
  { at = [0.58, 0.40], metres = [7, 40] },
  { at = [0.42, 0.40], metres = [0, 40] },
]

[[camera]] # another
id = "z"
"#;

fn drawing(text: &str, camera: &str) -> Drawing {
    let document = parse(Path::new("site.toml"), text).unwrap();
    drawn(table(&document, camera).unwrap())
}

fn edit(text: &str, camera: &str, drawing: &Drawing) -> String {
    edited(Path::new("site.toml"), text, camera, drawing).unwrap()
}

/// Every comment of a text.
fn comments(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| Some(line.split_once('#')?.1.trim())).collect()
}

#[test]
fn what_nobody_moved_is_the_same_byte_for_byte() {
    for (text, camera) in [(SITE, "cam-01"), (COMMENTED, "a"), (COMMENTED, "z")] {
        assert_eq!(edit(text, camera, &drawing(text, camera)), text);
    }
}

#[test]
fn one_moved_point_changes_one_line() {
    let mut moved = drawing(COMMENTED, "a");
    moved["approach"][1] = json!([0.1612345, 0.6]);
    let text = edit(COMMENTED, "a", &moved);
    assert_eq!(text, COMMENTED.replace("[0.15, 0.60],\n  [0.85", "[0.1612, 0.60],\n  [0.85"));
}

#[test]
fn points_come_and_go_with_their_comments_kept() {
    let mut moved = drawing(COMMENTED, "a");
    moved["approach"].as_array_mut().unwrap().insert(2, json!([0.5, 0.55]));
    moved["speed"]["survey"]
        .as_array_mut()
        .unwrap()
        .push(json!({"at": [0.5, 0.6], "metres": [3.5, 20]}));
    let text = edit(COMMENTED, "a", &moved);
    assert!(text.contains("  [0.15, 0.60],\n  [0.5, 0.55],\n  [0.85, 0.60],\n"), "{text}");
    assert!(text.contains("[0, 40] },\n  { at = [0.5, 0.6], metres = [3.5, 20] },\n]"), "{text}");
    assert_eq!(comments(&text), comments(COMMENTED));
    assert_eq!(drawing(&text, "a"), moved);

    moved["approach"].as_array_mut().unwrap().remove(2);
    moved["speed"]["survey"].as_array_mut().unwrap().pop();
    assert_eq!(edit(&text, "a", &moved), COMMENTED);
}

#[test]
fn sections_come_and_go() {
    let mut moved = drawing(COMMENTED, "a");
    moved.remove("lanes");
    moved["lamp"].as_array_mut().unwrap().push(json!({
        "name": "right", "region": [0.9, 0.2, 0.03, 0.04], "lights": ["green"], "controls": ["right"],
    }));
    moved["exits"].as_array_mut().unwrap().push(json!({
        "movement": "right", "line": [[0.95, 0.55], [0.95, 0.2]],
    }));
    moved.insert("mask".into(), json!([[[0.0, 0.0], [0.2, 0.0], [0.2, 0.1]]]));
    let text = edit(COMMENTED, "a", &moved);
    assert!(!text.contains("camera.lanes"), "{text}");
    assert!(text.contains("A chapter of its own"), "{text}");
    assert!(!text.contains("Of the lane"), "what stands right above goes with it: {text}");
    let agent = config::parse(&[(
        "site.toml".into(),
        text.replace("[[camera]] # another\nid = \"z\"\n", ""),
    )]);
    let camera = &agent.unwrap().cameras[0];
    assert_eq!(camera.lamps.len(), 2);
    assert_eq!(camera.mask.len(), 1);
    assert_eq!(camera.site.junction.as_ref().unwrap().exits.len(), 2);
    // The new lamp stands beside the first, in this camera.
    assert!(text.find("name = \"right\"").unwrap() < text.find("[[camera]] # another").unwrap());
}

#[test]
fn an_empty_camera_is_drawn_from_nothing() {
    let mut new = Drawing::new();
    new.insert("stop_line".into(), json!([[0.1, 0.6], [0.9, 0.6]]));
    new.insert("exits".into(), json!([{"movement": "straight", "line": [[0.3, 0.2], [0.7, 0.2]]}]));
    new.insert("speed".into(), json!({"limit": 50}));
    let text = edit(COMMENTED, "z", &new);
    assert!(text.starts_with(COMMENTED), "{text}");
    assert!(text.ends_with(
        "id = \"z\"\nstop_line = [[0.1, 0.6], [0.9, 0.6]]\n\n[[camera.exits]]\nmovement = \"straight\"\n\
         line = [[0.3, 0.2], [0.7, 0.2]]\n\n[camera.speed]\nlimit = 50\n"
    ) || text.contains("[[camera.exits]]"), "{text}");
}

#[test]
fn what_is_not_of_its_form_is_refused() {
    let of = |key: &str, value: Json| Drawing::from_iter([(key.to_owned(), value)]);
    for bad in [
        of("id", json!("b")),
        of("uri", json!("rtsp://evil")),
        of("stop_line", json!([[0.1, "x"]])),
        of("stop_line", json!({"a": 1})),
        of("lamp", json!([{"#": 7}])),
        of("lamp", json!([{"name": "a\nb"}])),
        of("exits", json!([{"movement": "up"}])),
        of("speed", json!([])),
        of("approach", Json::Array(vec![json!([0.1, 0.2]); 100])),
    ] {
        let refused = edited(Path::new("site.toml"), COMMENTED, "a", &bad);
        assert!(refused.is_err(), "{bad:?}");
    }
}

#[test]
fn the_last_file_with_a_drawing_is_the_one_to_edit() {
    let first = "[[camera]]\nid = \"a\"\nplan = \"p\"\nmask = []\n".to_owned();
    let files = [
        (PathBuf::from("agent.toml"), first),
        (PathBuf::from("site.toml"), COMMENTED.to_owned()),
        (PathBuf::from("local.toml"), "[[camera]]\nid = \"a\"\nuri = \"rtsp://h/s\"\n".to_owned()),
    ];
    let opened = Opened::of(&files, "a").unwrap();
    assert_eq!(opened.path, Path::new("site.toml"));
    let elsewhere = Elsewhere { key: "mask".into(), file: "agent.toml".into() };
    assert_eq!(opened.elsewhere, [elsewhere]);
    assert!(matches!(Opened::of(&files, "q"), Err(DocumentError::NoCamera(_))));
}

#[test]
fn a_file_that_somebody_changed_is_not_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    fs::write(&path, COMMENTED).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let opened = Opened::of(&[(path.clone(), COMMENTED.to_owned())], "a").unwrap();
    let other = Opened::of(&[(path.clone(), COMMENTED.to_owned())], "z").unwrap();
    let of_another = opened.save(&other.revision(), "# new\n");
    assert!(matches!(of_another, Err(DocumentError::Changed(_))), "another camera of the file");
    opened.save(&opened.revision(), "# new\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "# new\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let again = opened.save(&opened.revision(), "# newer\n");
    assert!(matches!(again, Err(DocumentError::Changed(_))), "{again:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "# new\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

fn point() -> impl Strategy<Value = Json> {
    (0u32..=10_000, 0u32..=10_000)
        .prop_map(|(x, y)| json!([f64::from(x) / 1e4, f64::from(y) / 1e4]))
}

fn polygon() -> impl Strategy<Value = Json> {
    prop::collection::vec(point(), 0..8).prop_map(Json::from)
}

fn any_drawing() -> impl Strategy<Value = Drawing> {
    let lanes = prop::collection::vec((polygon(), "[a-zđ\"# ]{0,6}"), 0..4);
    let survey = prop::collection::vec((point(), -50i32..50), 0..7);
    let kept = prop::collection::vec(any::<bool>(), 1);
    (polygon(), prop::option::of(polygon()), lanes, survey, kept).prop_map(
        |(approach, mask, lanes, survey, kept)| {
            let mut drawing = drawing(COMMENTED, "a");
            drawing.insert("approach".into(), approach);
            if let Some(mask) = mask {
                drawing.insert("mask".into(), json!([mask]));
            }
            let mut all = Vec::new();
            for (i, (area, name)) in lanes.into_iter().enumerate() {
                let mut lane = json!({"name": name, "area": area, "allowed": ["left"]});
                if i == 0 && kept[0] {
                    lane[WAS] = json!(0);
                }
                all.push(lane);
            }
            if all.is_empty() {
                drawing.remove("lanes");
            } else {
                drawing.insert("lanes".into(), all.into());
            }
            let point = |(at, y): (Json, i32)| json!({"at": at, "metres": [0.5, y]});
            drawing["speed"]["survey"] = survey.into_iter().map(point).collect::<Vec<_>>().into();
            drawing
        },
    )
}

/// As the page would get it back: entries are numbered anew.
fn numbered(mut drawing: Drawing) -> Drawing {
    for list in drawing.values_mut().filter_map(Json::as_array_mut) {
        for (i, entry) in list.iter_mut().enumerate().filter(|(_, entry)| entry.is_object()) {
            entry[WAS] = json!(i);
        }
    }
    drawing
}

proptest! {
    #[test]
    fn whatever_is_drawn_is_read_back_and_the_rest_is_untouched(new in any_drawing()) {
        let text = edit(COMMENTED, "a", &new);
        let back = numbered(drawing(&text, "a"));
        prop_assert_eq!(&back, &numbered(new.clone()), "{}", text);
        // Twice is once.
        prop_assert_eq!(edit(&text, "a", &back), text.clone());
        for kept in ["# Head of the file.", "# its name", "# Measured by night.", "# across",
                     "# About the lamp.", "# from above", "# A chapter of its own.",
                     "# surveyed in May", "[[camera]] # another\nid = \"z\"\n"] {
            prop_assert!(text.contains(kept), "{} in\n{}", kept, text);
        }
    }
}
