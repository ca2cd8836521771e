//! Labelled pictures in the folders `plates/`, `reader/` and `vehicles/`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use contract::plate::PlateColour;
use plate_model::geometry::distance;
use plate_model::{BBox, Point};

/// A table with a header line; fields hold no quotes or commas.
fn table(path: &Path) -> Result<Vec<HashMap<String, String>>> {
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
fn beside(picture: &Path, folder: &str) -> PathBuf {
    let root = picture.parent().and_then(Path::parent).unwrap_or(Path::new(""));
    root.join(folder).join(picture.file_stem().unwrap_or_default()).with_extension("txt")
}

/// A plate by hand.
#[derive(Debug, Clone)]
pub struct LabelledPlate {
    /// Pixels, clockwise from the top left.
    pub corners: [Point; 4],
    /// 1 or 2; 0 where nobody counted them.
    pub rows: u8,
    /// Whether the corners are the plate's own, not a box around it.
    pub exact: bool,
}

impl LabelledPlate {
    /// Mean length of the left and right edge, in pixels.
    pub fn height(&self) -> f32 {
        let [a, b, c, d] = self.corners;
        (distance(a, d) + distance(b, c)) / 2.0
    }
}

/// Plates of a picture, by their corners or else by their boxes; none where it has no labels at
/// all.
pub fn labelled_plates(picture: &Path, (w, h): (f32, f32)) -> Result<Option<Vec<LabelledPlate>>> {
    let path = beside(picture, "quads");
    if !path.is_file() {
        let boxed = |(_, b): (usize, BBox)| LabelledPlate {
            corners: [[b.x1, b.y1], [b.x2, b.y1], [b.x2, b.y2], [b.x1, b.y2]],
            rows: 0,
            exact: false,
        };
        let boxes = labelled_boxes(picture, (w, h))?;
        return Ok(boxes.map(|boxes| boxes.into_iter().map(boxed).collect()));
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

/// Class and box of each labelled object, pixels; none where the picture has no labels.
pub fn labelled_boxes(picture: &Path, (w, h): (f32, f32)) -> Result<Option<Vec<(usize, BBox)>>> {
    let path = beside(picture, "labels");
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)?;
    let mut boxes = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let numbers: Vec<f32> = line.split_whitespace().filter_map(|f| f.parse().ok()).collect();
        let [class, x, y, bw, bh] = numbers[..] else {
            anyhow::bail!("{}:{}: expected `class x y w h`", path.display(), number + 1);
        };
        let (x, y, bw, bh) = (x * w, y * h, bw * w, bh * h);
        let bbox = BBox::new(x - bw / 2.0, y - bh / 2.0, x + bw / 2.0, y + bh / 2.0);
        boxes.push((class as usize, bbox));
    }
    Ok(Some(boxes))
}

/// A crop with its text.
#[derive(Debug, Clone, Default)]
pub struct LabelledCrop {
    pub path: PathBuf,
    /// Empty where nobody read it.
    pub text: String,
    /// 1 or 2; 0 where nobody counted them.
    pub rows: u8,
    pub domain: String,
    /// Empty where unknown.
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
            rows: field("lines").parse().unwrap_or(0),
            domain: field("domain"),
            colour: field("colour"),
            picture: field("image"),
            number: stem.rsplit('_').next().and_then(|number| number.parse().ok()),
            corners,
        });
    }
    Ok(crops)
}

/// Crops by the picture they were cut from and the plate's number there.
pub type ByPicture = HashMap<String, BTreeMap<usize, LabelledCrop>>;

/// The texts of pictures' plates.
pub fn by_picture(crops: Vec<LabelledCrop>) -> ByPicture {
    let mut pictures = ByPicture::new();
    for crop in crops {
        if let Some(number) = crop.number.filter(|_| !crop.picture.is_empty()) {
            pictures.entry(crop.picture.clone()).or_default().insert(number, crop);
        }
    }
    pictures
}

/// The colour that a label names.
pub fn colour(name: &str) -> PlateColour {
    match name {
        "yellow" => PlateColour::Yellow,
        "blue" => PlateColour::Blue,
        "red" => PlateColour::Red,
        _ => PlateColour::White,
    }
}

/// The label's name of a colour.
pub fn colour_name(colour: PlateColour) -> &'static str {
    match colour {
        PlateColour::White => "white",
        PlateColour::Yellow => "yellow",
        PlateColour::Blue => "blue",
        PlateColour::Red => "red",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plates_come_from_corners_else_from_boxes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["quads", "labels"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let picture = folder.path().join("images/a.jpg");
        assert!(labelled_plates(&picture, (100.0, 50.0)).unwrap().is_none());
        fs::write(folder.path().join("labels/a.txt"), "0 0.5 0.5 0.2 0.4\n").unwrap();
        let boxed = labelled_plates(&picture, (100.0, 50.0)).unwrap().unwrap();
        assert_eq!((boxed[0].rows, boxed[0].exact), (0, false));
        assert_eq!(boxed[0].corners[2], [60.0, 35.0]);
        let line = "2 0.4 0.3 0.6 0.3 0.6 0.7 0.4 0.7 quad\n";
        fs::write(folder.path().join("quads/a.txt"), line).unwrap();
        let exact = labelled_plates(&picture, (100.0, 50.0)).unwrap().unwrap();
        assert_eq!((exact[0].rows, exact[0].exact), (2, true));
        assert_eq!(exact[0].height(), 20.0);
        fs::write(folder.path().join("quads/a.txt"), "2 0.4 0.3\n").unwrap();
        assert!(labelled_plates(&picture, (100.0, 50.0)).is_err());
    }

    #[test]
    fn crops_know_the_picture_they_were_cut_from() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("reader")).unwrap();
        let header = "file,text,lines,domain,image,x1,y1,x2,y2,x3,y3,x4,y4,colour";
        let lines = "a_b_1.jpg,51F12344,1,hung,a_b,0,0,1,0,1,1,0,1,white\n\
                     c.jpg,29B112345,2,tgmt,,,,,,,,,,\n";
        fs::write(folder.path().join("reader/labels.csv"), format!("{header}\n{lines}")).unwrap();
        let crops = labelled_crops(folder.path()).unwrap();
        assert!(crops[0].corners.is_some() && crops[1].corners.is_none());
        let pictures = by_picture(crops);
        assert_eq!(pictures.len(), 1);
        assert_eq!(pictures["a_b"][&1].text, "51F12344");
        fs::write(folder.path().join("reader/labels.csv"), "file,text\na\n").unwrap();
        assert!(labelled_crops(folder.path()).is_err());
    }
}
