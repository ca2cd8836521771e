//! The committed weights: they load, and they read plates drawn to the legal geometry.

use contract::plate::PlateColour;
use fixtures::plates::crops;
use plate_model::{BBox, Frame, Models, Options, PlateQuad, PlateReader, Precision, Runtime, View};

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
fn shipped_models_of_both_precisions_load_and_see_nothing_in_an_empty_picture() {
    for precision in [Precision::Float, Precision::Int8] {
        let options = Options { runtime: runtime_options(), ..Options::of(precision) };
        let mut models = Models::load(&shipped(), &options).unwrap();
        let vehicles = models.detector.detect(&grey(1280, 720, 90).planes(), &View::WHOLE).unwrap();
        assert!(vehicles.len() <= 2, "{precision:?}: vehicles in an empty picture: {vehicles:?}");
        let whole = BBox::new(0.0, 0.0, 640.0, 480.0);
        let plates = models.plates(&grey(640, 480, 90).planes(), whole).unwrap();
        assert!(plates.is_empty(), "{precision:?}: plates in an empty picture: {plates:?}");
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
