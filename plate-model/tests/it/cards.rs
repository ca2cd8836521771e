//! A card that does not fit, weights that were exchanged or broken: refused, and by name.

use std::fs;
use std::path::Path;

use contract::Digest;
use plate_model::{Detector, ModelError, PlateFinder, PlateReader, Runtime, RuntimeOptions};
use tempfile::TempDir;

use crate::{runtime_options, tiny};

fn runtime() -> Runtime {
    Runtime::load(&runtime_options()).unwrap()
}

/// A copy of the tiny models with one text replaced in a card.
fn edited(base: &str, from: &str, to: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(tiny()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let card = folder.path().join(format!("{base}.card.toml"));
    let text = fs::read_to_string(&card).unwrap();
    assert!(text.contains(from), "{from:?} is not in the card");
    fs::write(&card, text.replace(from, to)).unwrap();
    folder
}

fn refusal(base: &str, folder: &Path) -> ModelError {
    match base {
        "vehicles" => Detector::load(&runtime(), folder, base).unwrap_err(),
        "finder" => PlateFinder::load(&runtime(), folder, base).unwrap_err(),
        _ => PlateReader::load(&runtime(), folder, base).unwrap_err(),
    }
}

#[test]
fn what_differs_is_named() {
    for (base, from, to, said) in [
        ("vehicles", "\"car\", \"bus\"", "\"bus\", \"car\"", "motorbike, bus, car, truck"),
        ("vehicles", "[1, 192, 320, 12]", "[1, 320, 320, 12]", "expected [1, 192, 320, 12]"),
        ("vehicles", "name = \"images\"", "name = \"pictures\"", "input.name"),
        (
            "vehicles",
            "[outputs.boxes]\nshape = [1, 3, 4]",
            "[outputs.boxes]\nshape = [1, 9, 4]",
            "boxes",
        ),
        ("vehicles", "kind = \"vehicles\"", "kind = \"reader\"", "kind is Reader"),
        ("vehicles", "range = [0.0, 255.0]", "range = [0.0, 1.0]", "input.range"),
        ("finder", "\"yellow\", \"blue\"", "\"blue\", \"yellow\"", "white, blue, yellow, red"),
        ("finder", "[outputs.rows]", "[outputs.lines]", "[outputs.rows] is missing"),
        ("reader", "0123456789A", "A0123456789", "alphabet"),
        ("reader", "name = \"tiny-reader\"", "", "missing field `name`"),
        ("reader", "file = \"reader.onnx\"", "file = \"../reader.onnx\"", "beside the card"),
        ("reader", "[input]", "[thresholds]\naccpet = 0.9\n\n[input]", "thresholds.accpet"),
        ("reader", "[input]", "[thresholds]\naccept = 9\n\n[input]", "not between 0 and 1"),
        ("reader", "shape = [\"B\", 3, 64, 128]", "shape = [\"B\", 3, 0, 128]", "not positive"),
    ] {
        let folder = edited(base, from, to);
        let error = refusal(base, folder.path()).to_string();
        assert!(error.contains(said), "{from:?} -> {to:?}: {error}");
        assert!(error.contains(base), "the message names no file: {error}");
    }
}

#[test]
fn exchanged_weights_are_refused_by_name() {
    let folder = edited("reader", "# Made", "# Made");
    let path = folder.path().join("reader.onnx");
    let mut weights = fs::read(&path).unwrap();
    let middle = weights.len() / 2;
    weights[middle] ^= 1;
    fs::write(&path, &weights).unwrap();
    let error = refusal("reader", folder.path());
    assert!(matches!(&error, ModelError::Hash { path: named, .. } if *named == path), "{error}");
    assert!(error.to_string().contains(&Digest::of(&weights).to_string()));
}

#[test]
fn corrupt_weights_with_a_fitting_card_are_refused_by_name() {
    let folder = edited("reader", "# Made", "# Made");
    let path = folder.path().join("reader.onnx");
    let old = Digest::of(&fs::read(&path).unwrap());
    let rubbish = b"this is no network".repeat(50);
    fs::write(&path, &rubbish).unwrap();
    let card = folder.path().join("reader.card.toml");
    let text = fs::read_to_string(&card).unwrap();
    fs::write(&card, text.replace(&old.to_string(), &Digest::of(&rubbish).to_string())).unwrap();
    let error = refusal("reader", folder.path());
    assert!(matches!(&error, ModelError::Refused { path: named, .. } if *named == path), "{error}");
}

#[test]
fn missing_files_are_named() {
    let folder = edited("finder", "# Made", "# Made");
    fs::remove_file(folder.path().join("finder.onnx")).unwrap();
    let error = refusal("finder", folder.path()).to_string();
    assert!(error.contains("finder.onnx"), "{error}");
    fs::remove_file(folder.path().join("finder.card.toml")).unwrap();
    let error = refusal("finder", folder.path()).to_string();
    assert!(error.contains("finder.card.toml"), "{error}");
}

#[test]
fn a_second_library_is_refused() {
    runtime();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("libonnxruntime.so");
    fs::write(&other, b"not a library").unwrap();
    let options = RuntimeOptions { library: Some(other), folder: None };
    let error = Runtime::load(&options).unwrap_err();
    assert!(matches!(error, ModelError::RuntimeConflict { .. }), "{error}");
}

#[test]
fn the_runtime_tells_its_build() {
    assert!(runtime().build_info().contains("ORT Build Info"));
}
