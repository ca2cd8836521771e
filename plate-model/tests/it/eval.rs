//! `plate-eval` as a program: a tiny data folder whose right answers are known, then a few real
//! pictures where they are.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::{real, shipped, tiny};

/// What one run printed and predicted.
struct Told {
    report: Value,
    predictions: Vec<Value>,
}

fn plate_eval(arguments: &[&str], data: &Path, models: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plate-eval"))
        // Where `.onnxruntime` is.
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(arguments)
        // The same answers on every processor.
        .args(["--precision", "float", "--data"])
        .arg(data)
        .arg("--models")
        .arg(models)
        .output()
        .unwrap()
}

/// Runs with `--json`, `--predictions` and `--report` into `out`.
fn told(what: &str, data: &Path, models: &Path, out: &Path, more: &[&str]) -> Told {
    let predictions = out.join("predictions.jsonl");
    let mut arguments = vec![what, "--json", "--predictions", predictions.to_str().unwrap()];
    arguments.extend(["--report", out.to_str().unwrap()]);
    arguments.extend(more);
    let output = plate_eval(&arguments, data, models);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = fs::read_to_string(predictions).unwrap();
    Told {
        report: serde_json::from_slice(&output.stdout).unwrap(),
        predictions: lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    }
}

impl Told {
    fn figure(&self, table: &str, group: &str, name: &str) -> f64 {
        let figure = &self.report["tables"][table][group][name];
        figure.as_f64().unwrap_or_else(|| panic!("{table} {group} {name}: {:#}", self.report))
    }

    fn skipped(&self) -> String {
        self.report["skipped"].to_string()
    }
}

fn folder(root: &Path, names: &[&str]) {
    for name in names {
        fs::create_dir_all(root.join(name)).unwrap();
    }
}

fn white(path: &Path, width: u32, height: u32) {
    RgbImage::from_pixel(width, height, Rgb([255; 3])).save(path).unwrap();
}

/// Every detection has a class, a score and a place between 0 and 1.
fn assert_well_formed(line: &Value) {
    assert!(line["file"].is_string(), "{line}");
    for found in line["detections"].as_array().unwrap() {
        let class = found["class"].as_str().unwrap();
        assert!(["plate", "motorbike", "car", "bus", "truck"].contains(&class), "{line}");
        let numbers: Vec<f64> = match found["box"].as_array() {
            Some(bbox) => bbox.iter().map(|n| n.as_f64().unwrap()).collect(),
            None => found["corners"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|corner| corner.as_array().unwrap())
                .map(|n| n.as_f64().unwrap())
                .collect(),
        };
        assert!([4, 8].contains(&numbers.len()), "{line}");
        let score = found["score"].as_f64().unwrap();
        assert!(numbers.iter().chain([&score]).all(|n| (0.0..=1.0).contains(n)), "{line}");
        if class == "plate" {
            assert!(
                ["white", "yellow", "blue", "red"].contains(&found["colour"].as_str().unwrap())
            );
            assert!([1, 2].contains(&found["rows"].as_u64().unwrap()), "{line}");
        }
    }
}

#[test]
fn vehicles_of_a_known_frame_are_scored() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = data.path().join("vehicles");
    folder(&root, &["images", "labels"]);
    white(&root.join("images/a.png"), 640, 384);
    white(&root.join("images/b.png"), 640, 384);
    fs::write(root.join("manifest.csv"), "file,camera,source\na.png,gate,x\n").unwrap();
    // The motorbike that the tiny detector sees, one that it does not, one too small to count.
    let label = |[x1, y1, x2, y2]: [f32; 4]| {
        let (w, h) = (640.0, 384.0);
        format!(
            "0 {} {} {} {}\n",
            (x1 + x2) / 2.0 / w,
            (y1 + y2) / 2.0 / h,
            (x2 - x1) / w,
            (y2 - y1) / h
        )
    };
    let labels =
        [[64.0, 36.0, 128.0, 180.0], [10.0, 300.0, 40.0, 360.0], [600.0, 10.0, 610.0, 40.0]];
    fs::write(root.join("labels/a.txt"), labels.map(label).concat()).unwrap();
    let told = told("vehicles", data.path(), &tiny(), out.path(), &[]);
    assert_eq!(told.report["pictures"], 2);
    assert_eq!(told.figure("camera", "gate", "vehicles"), 2.0);
    assert_eq!(told.figure("all", "all", "recall"), 0.5);
    // The car that it sees as well is not labelled.
    assert_eq!(told.figure("all", "all", "precision"), 0.5);
    assert_eq!(told.figure("all", "all", "bike recall"), 0.5);
    assert_eq!(told.figure("all", "all", "ap50 motorbike"), 0.5);
    assert_eq!(told.figure("height", "96 px and more", "recall"), 1.0);
    assert!(told.skipped().contains("1 have no labels"), "{}", told.skipped());
    assert_eq!(told.report["costs"][0]["samples"], 2);
    assert_eq!(told.predictions.len(), 2);
    told.predictions.iter().for_each(assert_well_formed);
    let bike = &told.predictions[0]["detections"][0];
    assert_eq!(bike["class"], "motorbike");
    assert!((bike["box"][0].as_f64().unwrap() - 0.1).abs() < 1e-3, "{bike}");
    // One frame has fewer than three vehicles: it is shown, but not among the worst.
    assert!(out.path().join("random-1.jpg").is_file());
    assert!(!out.path().join("worst-1.jpg").exists());
}

#[test]
fn crops_are_read_and_wrong_readings_shown() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = data.path().join("reader");
    folder(&root, &["images"]);
    for name in ["a.png", "b.png", "c.png", "unnamed.png"] {
        white(&root.join("images").join(name), 60, 44);
    }
    // The tiny reader says 29B112345, whatever it is shown.
    let lines = "file,text,lines,domain,colour\n\
                 a.png,29B112345,2,hung,white\n\
                 b.png,29B112346,2,hung,white\n\
                 c.png,29B112345,2,dieu,white\n\
                 missing.png,29B112345,2,hung,white\n";
    fs::write(root.join("labels.csv"), lines).unwrap();
    let all = told("reader", data.path(), &tiny(), out.path(), &[]);
    assert_eq!(all.figure("all", "all", "plates"), 3.0);
    assert_eq!(all.figure("domain", "hung", "read right"), 0.5);
    assert_eq!(all.figure("all", "all", "accepted"), 1.0);
    assert_eq!(all.figure("all", "all", "accepted wrong"), 1.0 / 3.0);
    assert_eq!(all.figure("plate height", "40-80 px", "plates"), 3.0);
    assert!(all.skipped().contains("missing.png"), "{}", all.skipped());
    assert!(all.skipped().contains("1 have no labels"), "{}", all.skipped());
    assert_eq!(all.report["calibration"]["shipped"]["accepted"], 1.0);
    assert_eq!(all.report["confusions"][0]["printed"], "6");
    assert_eq!(all.predictions.len(), 4);
    all.predictions.iter().for_each(assert_well_formed);
    let plate = &all.predictions[0]["detections"][0];
    assert_eq!((&plate["text"], &plate["accepted"]), (&"29B112345".into(), &true.into()));
    assert!(plate["confidence"].as_f64().unwrap() > 0.9, "{plate}");
    for name in ["reliability.svg", "coverage.svg", "confusion.csv", "report.txt", "report.json"] {
        assert!(out.path().join(name).is_file(), "{name}");
    }
    let sheet = fs::read_to_string(out.path().join("errors.html")).unwrap();
    assert!(sheet.contains("accepted and wrong: 1") && sheet.contains("is 29B112346"), "{sheet}");

    // `hung` is a scene that training never sees; nobody knows what the unnamed crop is of.
    let held_out = told("reader", data.path(), &tiny(), out.path(), &["--split", "validation"]);
    assert_eq!(held_out.figure("all", "all", "plates"), 2.0);
    assert_eq!(held_out.predictions.len(), 2);
}

#[test]
fn plates_of_a_picture_are_scored_by_corners_and_by_text() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = data.path().join("plates");
    folder(&root, &["images", "quads"]);
    white(&root.join("images/a.png"), 640, 384);
    fs::write(root.join("manifest.csv"), "file,source,domain,plates\na.png,x,hung,1\n").unwrap();
    let blind = told("plates", data.path(), &tiny(), out.path(), &[]);
    assert!(blind.skipped().contains("reader/labels.csv is missing"), "{}", blind.skipped());
    assert!(blind.report["tables"].as_object().unwrap().is_empty());
    blind.predictions.iter().for_each(assert_well_formed);
    // What it found becomes the truth, and a text comes with it.
    let found = blind.predictions[0]["detections"].as_array().unwrap();
    let corners: Vec<String> = found[0]["corners"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|corner| corner.as_array().unwrap())
        .map(Value::to_string)
        .collect();
    fs::write(root.join("quads/a.txt"), format!("2 {} quad\n", corners.join(" "))).unwrap();
    folder(data.path(), &["reader/images"]);
    white(&data.path().join("reader/images/a_0.png"), 60, 44);
    let lines = "file,text,lines,domain,colour,image\na_0.png,29B112345,2,hung,white,a\n";
    fs::write(data.path().join("reader/labels.csv"), lines).unwrap();

    let seen = told("plates", data.path(), &tiny(), out.path(), &["--split", "validation"]);
    assert_eq!(seen.figure("domain", "hung", "recall"), 1.0);
    assert_eq!(seen.figure("all", "all", "precision"), 1.0 / found.len() as f64);
    assert!(seen.figure("all", "all", "corner error") < 1e-3);
    assert_eq!(seen.figure("colour", "white", "colour right"), 1.0);
    let read = told("end-to-end", data.path(), &tiny(), out.path(), &["--split", "validation"]);
    assert_eq!(read.figure("rows", "2", "read right"), 1.0);
    assert_eq!(read.figure("all", "all", "accepted wrong"), 0.0);
    // All but the labelled one are elsewhere.
    let detections = read.predictions[0]["detections"].as_array().unwrap();
    let accepted = detections.iter().filter(|plate| plate["accepted"] == true).count();
    assert!(accepted > 1, "{detections:?}");
    assert_eq!(read.figure("all", "all", "elsewhere"), accepted as f64 - 1.0);
    assert_eq!(read.report["costs"].as_array().unwrap().len(), 3);
    assert_eq!(read.predictions[0]["detections"][0]["text"], "29B112345");
}

#[test]
fn what_is_missing_is_said() {
    let data = tempfile::tempdir().unwrap();
    for (what, missing) in [
        ("plates", "plates/ is missing"),
        ("end-to-end", "plates/ is missing"),
        ("reader", "reader/labels.csv is missing"),
        ("vehicles", "vehicles/ is missing"),
    ] {
        let output = plate_eval(&[what], data.path(), &tiny());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains(missing), "{what}: {text}");
    }
    let nowhere = plate_eval(&["plates"], Path::new("/nowhere"), &tiny());
    assert!(!nowhere.status.success());
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("/nowhere is no folder"));
}

#[test]
fn real_pictures_of_held_out_scenes_are_scored() {
    let Some(data) = real::data() else { return };
    let out = tempfile::tempdir().unwrap();
    let few = ["--split", "validation", "--limit", "12"];
    // Far below what the weights do: a mistake of the way there, not of a weight, is looked for.
    for (what, figure, least) in [
        ("plates", "recall", 0.6),
        ("reader", "read right", 0.8),
        ("end-to-end", "read right", 0.5),
        ("vehicles", "precision", 0.3),
    ] {
        let told = told(what, &data, &shipped(), out.path(), &few);
        let share = told.figure("all", "all", figure);
        println!("{what}: {figure} {share:.3} of {} pictures", told.report["pictures"]);
        assert!(share >= least, "{what}: {figure} {share}");
        assert_eq!(told.predictions.len(), 12, "{what}");
        told.predictions.iter().for_each(assert_well_formed);
    }
}
