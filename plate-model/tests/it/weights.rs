//! The committed weights: they load, and they read plates drawn to the legal geometry.

use contract::plate::PlateColour;
use fixtures::plates::crops;
use plate_model::{Detector, Frame, PlateFinder, PlateQuad, PlateReader, Runtime};

use crate::{grey, runtime_options, shipped};

/// Whether a model has been committed; says so where not.
fn has(base: &str) -> bool {
    let there = shipped().join(format!("{base}.card.toml")).is_file();
    if !there {
        println!("skipped: weights/{base}.card.toml is not there");
    }
    there
}

#[test]
fn every_shipped_model_fits_its_card() {
    let runtime = Runtime::load(&runtime_options()).unwrap();
    if has("vehicles") {
        let mut detector = Detector::load(&runtime, &shipped(), "vehicles").unwrap();
        let empty = detector.detect(&grey(1280, 720, 90).planes(), None).unwrap();
        assert!(empty.len() <= 2, "vehicles in an empty picture: {empty:?}");
    }
    if has("finder") {
        let mut finder = PlateFinder::load(&runtime, &shipped(), "finder").unwrap();
        let whole = plate_model::BBox::new(0.0, 0.0, 640.0, 480.0);
        let empty = finder.find(&grey(640, 480, 90).planes(), whole).unwrap();
        assert!(empty.is_empty(), "plates in an empty picture: {empty:?}");
    }
    if has("reader") {
        PlateReader::load(&runtime, &shipped(), "reader").unwrap();
    }
}

#[test]
fn drawn_plates_are_read() {
    if !has("reader") {
        return;
    }
    let runtime = Runtime::load(&runtime_options()).unwrap();
    let mut reader = PlateReader::load(&runtime, &shipped(), "reader").unwrap();
    let (mut seen, mut right) = (0, 0);
    for index in 0..400 {
        let (crop, night) = crops::crop(77, index);
        if night || crop.char_px < 24.0 || crop.quality < 60 {
            continue;
        }
        let (width, height) = (crop.photo.width as u32, crop.photo.height as u32);
        let frame = Frame::from_rgb(width, height, &crop.photo.bytes()).unwrap();
        let quad = PlateQuad {
            corners: crop.corners.map(|[x, y]| [x * width as f32, y * height as f32]),
            score: 1.0,
            rows: crop.plate.rows().len() as u8,
            rows_confidence: 1.0,
            colour: PlateColour::White,
            colour_confidence: 1.0,
        };
        let characters = reader.read(&frame.planes(), &quad).unwrap();
        seen += 1;
        right += usize::from(characters.text() == crop.plate.text());
    }
    println!("{right} of {seen} drawn plates read right");
    assert!(seen >= 30, "only {seen} large daylight crops among 400");
    assert!(right * 10 >= seen * 8, "{right} of {seen}");
}
