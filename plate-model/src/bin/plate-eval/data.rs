//! Labelled pictures in the folders `plates/`, `reader/` and `vehicles/`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use plate_model::{BBox, Point};

/// Which pictures are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Split {
    All,
    /// Scenes that training holds out; never single pictures of a scene.
    Validation,
}

/// Cameras that the detector's training holds out.
const CAMERAS: [&str; 3] = ["dongha_leloi", "hcmc_cam_02", "tatthangdz123-274"];
/// Domains that the finder's training holds out.
const FINDER_DOMAINS: [&str; 3] = ["hung", "hohuy2", "carlongplate"];
/// Domains that the reader's training holds out.
const READER_DOMAINS: [&str; 3] = ["hung", "hohuy", "hohuy2"];

impl Split {
    pub fn has_camera(self, camera: &str) -> bool {
        self == Self::All || CAMERAS.contains(&camera)
    }

    pub fn has_pictures_of(self, domain: &str) -> bool {
        self == Self::All || FINDER_DOMAINS.contains(&domain)
    }

    pub fn has_crops_of(self, domain: &str) -> bool {
        self == Self::All || READER_DOMAINS.contains(&domain)
    }

    /// Held out of both.
    pub fn has_plates_of(self, domain: &str) -> bool {
        self.has_pictures_of(domain) && self.has_crops_of(domain)
    }
}

/// A table with a header line; fields hold no quotes or commas.
pub fn table(path: &Path) -> Result<Vec<HashMap<String, String>>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let mut rows = Vec::new();
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let fields: Vec<&str> = line.split(',').collect();
        anyhow::ensure!(
            fields.len() == header.len(),
            "{}:{}: {} fields, the header has {}",
            path.display(),
            number + 2,
            fields.len(),
            header.len()
        );
        let pairs = header.iter().zip(fields);
        rows.push(pairs.map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect());
    }
    Ok(rows)
}

/// Pictures of a folder with their group; those without a manifest line come as "unlisted".
pub fn pictures(folder: &Path, group: &str) -> Result<Vec<(PathBuf, String)>> {
    let manifest = folder.join("manifest.csv");
    let mut groups = HashMap::new();
    if manifest.is_file() {
        for mut row in table(&manifest)? {
            if let (Some(file), Some(name)) = (row.remove("file"), row.remove(group)) {
                groups.insert(file, name);
            }
        }
    }
    let images = folder.join("images");
    let entries =
        fs::read_dir(&images).with_context(|| format!("cannot read {}", images.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if matches!(ending.as_str(), "jpg" | "jpeg" | "png") {
            let group = groups.remove(&name).unwrap_or_else(|| "unlisted".into());
            found.push((path, group));
        }
    }
    found.sort();
    Ok(found)
}

/// Label file of a picture in a sister folder of `images`.
pub fn beside(picture: &Path, folder: &str) -> PathBuf {
    let root = picture.parent().and_then(Path::parent).unwrap_or(Path::new(""));
    root.join(folder).join(picture.file_stem().unwrap_or_default()).with_extension("txt")
}

/// A plate by hand.
#[derive(Debug, Clone)]
pub struct LabelledPlate {
    /// Pixels, clockwise from the top left.
    pub corners: [Point; 4],
    pub rows: u8,
    /// Whether the corners are the plate's own, not a box around it.
    pub exact: bool,
}

/// Plates of a picture; none where it has no labels at all.
pub fn labelled_plates(picture: &Path, (w, h): (f32, f32)) -> Result<Option<Vec<LabelledPlate>>> {
    let path = beside(picture, "quads");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)?;
    let mut plates = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let numbers: Vec<f32> = fields.iter().take(9).filter_map(|f| f.parse().ok()).collect();
        anyhow::ensure!(
            numbers.len() == 9,
            "{}:{}: expected `rows x1 y1 … x4 y4 quad|box`",
            path.display(),
            number + 1
        );
        let corner = |i: usize| [numbers[1 + 2 * i] * w, numbers[2 + 2 * i] * h];
        plates.push(LabelledPlate {
            corners: [corner(0), corner(1), corner(2), corner(3)],
            rows: numbers[0] as u8,
            exact: fields.get(9) == Some(&"quad"),
        });
    }
    Ok(Some(plates))
}

/// Class and box of each labelled vehicle, pixels; none where the picture has no labels.
pub fn labelled_vehicles(picture: &Path, (w, h): (f32, f32)) -> Result<Option<Vec<(usize, BBox)>>> {
    let path = beside(picture, "labels");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)?;
    let mut vehicles = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let numbers: Vec<f32> = line.split_whitespace().filter_map(|f| f.parse().ok()).collect();
        let [class, x, y, bw, bh] = numbers[..] else {
            anyhow::bail!("{}:{}: expected `class x y w h`", path.display(), number + 1);
        };
        let (x, y, bw, bh) = (x * w, y * h, bw * w, bh * h);
        let bbox = BBox::new(x - bw / 2.0, y - bh / 2.0, x + bw / 2.0, y + bh / 2.0);
        vehicles.push((class as usize, bbox));
    }
    Ok(Some(vehicles))
}

/// A crop with its text.
#[derive(Debug, Clone)]
pub struct LabelledCrop {
    pub path: PathBuf,
    pub text: String,
    pub rows: u8,
    pub domain: String,
    pub colour: String,
    /// Stem of the picture it was cut from, and the plate's number there.
    pub picture: String,
    pub number: Option<usize>,
    /// Corners in the crop, normalised, where known.
    pub corners: Option<[Point; 4]>,
}

/// Every labelled crop of `reader/`.
pub fn labelled_crops(data: &Path) -> Result<Vec<LabelledCrop>> {
    let folder = data.join("reader");
    let mut crops = Vec::new();
    for row in table(&folder.join("labels.csv"))? {
        let field = |name: &str| row.get(name).cloned().unwrap_or_default();
        let place = |i: usize| -> Option<Point> {
            Some([field(&format!("x{i}")).parse().ok()?, field(&format!("y{i}")).parse().ok()?])
        };
        let file = field("file");
        let stem = Path::new(&file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let corners = (|| Some([place(1)?, place(2)?, place(3)?, place(4)?]))();
        crops.push(LabelledCrop {
            path: folder.join("images").join(&file),
            text: field("text"),
            rows: field("lines").parse().unwrap_or(1),
            domain: field("domain"),
            colour: field("colour"),
            picture: field("image"),
            number: stem.rsplit('_').next().and_then(|number| number.parse().ok()),
            corners,
        });
    }
    Ok(crops)
}
