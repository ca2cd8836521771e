//! Pixels to verdict with models whose answers are known: every coordinate is checked.

use contract::VehicleClass;
use contract::plate::{PlateClass, PlateColour};
use plate_model::{BBox, Models, Options, Region, View, fusion};

use crate::{grey, runtime_options, tiny};

fn models() -> Models {
    let options = Options { runtime: runtime_options(), ..Options::default() };
    Models::load(&tiny(), &options).unwrap()
}

fn close(a: &BBox, b: [f32; 4]) -> bool {
    [a.x1, a.y1, a.x2, a.y2].iter().zip(b).all(|(a, b)| (a - b).abs() < 0.01)
}

#[test]
fn boxes_come_back_in_frame_pixels() {
    let mut models = models();
    // Letterboxed by 3: content is 640x360.
    let frame = grey(1920, 1080, 255);
    let seen = models.detector.detect(&frame.planes(), &View::WHOLE).unwrap();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(seen[0].class, VehicleClass::Motorbike);
    assert!((seen[0].score - 0.9).abs() < 0.01);
    assert!(close(&seen[0].bbox, [192.0, 108.0, 384.0, 540.0]), "{seen:?}");
    assert!(close(&seen[1].bbox, [900.0, 180.0, 1500.0, 600.0]), "{seen:?}");
}

#[test]
fn a_region_moves_the_boxes() {
    let mut models = models();
    let frame = grey(1920, 1080, 255);
    let region = Region { x: 100, y: 50, width: 640, height: 384 };
    let seen = models.detector.detect(&frame.planes(), &View::part(region)).unwrap();
    assert!(close(&seen[0].bbox, [164.0, 86.0, 228.0, 230.0]), "{seen:?}");
    let outside = Region { x: 1900, y: 0, width: 640, height: 384 };
    assert!(models.detector.detect(&frame.planes(), &View::part(outside)).is_err());
}

#[test]
fn a_closer_look_adds_what_is_small_there() {
    let mut models = models();
    let frame = grey(1920, 1080, 255);
    let closer = Region { x: 600, y: 0, width: 640, height: 384 };
    let view = View { part: None, closer: Some(closer) };
    let mut seen = models.detector.detect(&frame.planes(), &view).unwrap();
    let expected = [
        [192.0, 108.0, 384.0, 540.0], // of the whole, not in the part
        [664.0, 36.0, 728.0, 180.0],
        [900.0, 60.0, 1100.0, 200.0],
        [900.0, 180.0, 1500.0, 600.0], // of the whole, reaching out of the part
    ];
    assert_eq!(seen.len(), expected.len(), "{seen:?}");
    seen.sort_by(|a, b| (a.bbox.x1, a.bbox.y1).partial_cmp(&(b.bbox.x1, b.bbox.y1)).unwrap());
    for (found, expected) in seen.iter().zip(expected) {
        assert!(close(&found.bbox, expected), "{seen:?}");
    }
    // Where the whole sees it in the part, the closer look has the word.
    let wide = Region { x: 0, y: 0, width: 1200, height: 1080 };
    let view = View { part: None, closer: Some(wide) };
    let seen = models.detector.detect(&frame.planes(), &view).unwrap();
    let first = [192.0, 108.0, 384.0, 540.0];
    assert!(!seen.iter().any(|found| close(&found.bbox, first)), "{seen:?}");
}

#[test]
fn a_black_picture_holds_nothing() {
    let mut models = models();
    // The shape of the input: no grey padding.
    let frame = grey(320, 192, 0);
    assert!(models.detector.detect(&frame.planes(), &View::WHOLE).unwrap().is_empty());
    let square = BBox::new(20.0, 20.0, 100.0, 100.0);
    assert!(models.finder.find(&frame.planes(), square).unwrap().is_empty());
}

#[test]
fn plates_come_back_in_frame_pixels_in_order_and_once() {
    let mut models = models();
    let frame = grey(800, 600, 255);
    // Expanded by 8 % each side: 100..292, 200..392, no scaling.
    let side = 192.0 / 1.16;
    let start = 192.0 * 0.08 / 1.16;
    let vehicle =
        BBox::new(100.0 + start, 200.0 + start, 100.0 + start + side, 200.0 + start + side);
    let plates = models.finder.find(&frame.planes(), vehicle).unwrap();
    assert_eq!(plates.len(), 1, "{plates:?}");
    let plate = &plates[0];
    assert_eq!((plate.rows, plate.colour), (2, PlateColour::White));
    // Rounding may add a pixel to the region.
    for (found, wanted) in
        plate.corners.iter().zip([[160.0, 300.0], [200.0, 302.0], [199.0, 332.0], [161.0, 330.0]])
    {
        let off = (found[0] - wanted[0]).abs().max((found[1] - wanted[1]).abs());
        assert!(off < 1.5, "{found:?} instead of {wanted:?}");
    }
}

#[test]
fn a_closer_look_moves_corners_only_as_far_as_it_says() {
    let mut models = models();
    let frame = grey(800, 600, 255);
    let vehicle = BBox::new(100.0, 200.0, 300.0, 400.0);
    let first = models.finder.find(&frame.planes(), vehicle).unwrap()[0];
    // This refiner says that the corners are where they were expected.
    let refined = models.refiner.refine(&frame.planes(), &first).unwrap().unwrap();
    for (found, wanted) in refined.corners.iter().flatten().zip(first.corners.iter().flatten()) {
        // Not exactly: what is scaled about the centre keeps its corners' places only without perspective.
        assert!((found - wanted).abs() < 1.5, "{refined:?} instead of {first:?}");
    }
    let weighed = 0.9f32.powf(0.25) * 0.95f32.powf(0.75);
    assert!((refined.score - weighed).abs() < 1e-3, "{}", refined.score);
    assert_eq!(models.plates(&frame.planes(), vehicle).unwrap(), [refined]);
}

#[test]
fn what_the_closer_look_denies_is_no_plate() {
    let mut models = models();
    let white = grey(800, 600, 255);
    let vehicle = BBox::new(100.0, 200.0, 300.0, 400.0);
    let first = models.finder.find(&white.planes(), vehicle).unwrap()[0];
    // Its score follows the brightest value: black is no plate.
    let black = grey(800, 600, 0);
    assert_eq!(models.refiner.refine(&black.planes(), &first).unwrap(), None);
}

#[test]
fn a_box_outside_the_picture_has_no_plates() {
    let mut models = models();
    let frame = grey(800, 600, 255);
    let far = BBox::new(900.0, 700.0, 950.0, 750.0);
    assert!(models.finder.find(&frame.planes(), far).unwrap().is_empty());
}

#[test]
fn characters_become_an_accepted_number() {
    let mut models = models();
    let frame = grey(800, 600, 255);
    let planes = frame.planes();
    let vehicle = BBox::new(100.0, 200.0, 300.0, 400.0);
    let mut fused = models.fusion(VehicleClass::Motorbike);
    for plate in models.plates(&planes, vehicle).unwrap() {
        let characters = models.reader.read(&planes, &plate).unwrap();
        assert_eq!(characters.text(), "29B112345");
        // A grey patch has no strokes: the weight says so, the test gives its own.
        assert!(fusion::weight(&characters, &plate) < 0.2);
        fused.add(&characters, &plate, 1.0);
    }
    let verdict = fused.verdict();
    assert_eq!(verdict.text.as_deref(), Some("29B112345"), "{:?}", verdict.doubt);
    assert_eq!(verdict.class, Some(PlateClass::MotorbikeOld));
    assert_eq!(verdict.reading().unwrap().rows, 2);
}

#[test]
fn used_models_are_named_with_their_digests() {
    let models = models();
    let names: Vec<_> = models.used.iter().map(|used| used.name.as_str()).collect();
    assert_eq!(names, ["tiny-vehicles", "tiny-finder", "tiny-refiner", "tiny-reader"]);
    for (used, file) in models.used.iter().zip(["vehicles", "finder", "refiner", "reader"]) {
        let bytes = std::fs::read(tiny().join(format!("{file}.onnx"))).unwrap();
        assert_eq!(used.sha256, contract::Digest::of(&bytes));
    }
}

#[test]
fn the_same_picture_gives_the_same_answer() {
    let frame = grey(1280, 720, 200);
    let (mut one, mut other) = (models(), models());
    let first = one.detector.detect(&frame.planes(), &View::WHOLE).unwrap();
    assert_eq!(first, other.detector.detect(&frame.planes(), &View::WHOLE).unwrap());
    assert_eq!(first, one.detector.detect(&frame.planes(), &View::WHOLE).unwrap());
}
