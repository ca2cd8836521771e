//! Real pictures, where they are: the shared data set beside the checkout. Skipped without it.

use std::path::{Path, PathBuf};

use plate_model::{BBox, Frame, Models, Options, View};

use crate::{runtime_options, shipped};

/// The folder of real pictures, where it is; says so where not.
pub fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no real pictures at ../shared/data");
    None
}

#[test]
fn vehicles_of_a_held_out_junction_are_seen() {
    let Some(data) = data() else { return };
    let options = Options { runtime: runtime_options(), ..Options::default() };
    let mut models = match Models::load(&shipped(), &options) {
        Ok(models) => models,
        Err(error) => return println!("skipped: {error}"),
    };
    // Low, as a tracker asks for: the operating point is the evaluation's business.
    models.detector.set_score_threshold(0.2);
    let (mut labelled, mut found) = (0, 0);
    let mut files: Vec<_> = std::fs::read_dir(data.join("vehicles/images"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().contains("leloi")))
        .collect();
    files.sort();
    for path in files.iter().take(12) {
        let frame = Frame::open(path).unwrap();
        let (w, h) = (frame.width() as f32, frame.height() as f32);
        let seen = models.detector.detect(&frame.planes(), &View::WHOLE).unwrap();
        let labels = path.to_string_lossy().replace("/images/", "/labels/");
        let Ok(text) = std::fs::read_to_string(Path::new(&labels).with_extension("txt")) else {
            continue;
        };
        for line in text.lines() {
            let numbers: Vec<f32> = line.split(' ').filter_map(|n| n.parse().ok()).collect();
            let [_, x, y, bw, bh] = numbers[..] else { continue };
            // Large vehicles only: the small ones are what the evaluation is for.
            if bh * h < 60.0 * h / 384.0 {
                continue;
            }
            let (x, y, bw, bh) = (x * w, y * h, bw * w, bh * h);
            let truth = BBox::new(x - bw / 2.0, y - bh / 2.0, x + bw / 2.0, y + bh / 2.0);
            labelled += 1;
            found += usize::from(seen.iter().any(|vehicle| vehicle.bbox.iou(&truth) > 0.5));
        }
    }
    println!("{found} of {labelled} large vehicles found");
    assert!(labelled == 0 || found * 2 >= labelled, "{found} of {labelled}");
}
