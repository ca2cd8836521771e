//! Where in a picture the accused vehicle stands, and what it is judged by. What leaves the
//! officers' desk shows these and nobody else: the picture under the seal stays as the camera saw it.

use serde::{Deserialize, Serialize};

/// Pixels from the picture's top left corner: x, y, width, height.
pub type Area = [u32; 4];

/// A line through points of a picture, pixels.
pub type Mark = Vec<[u32; 2]>;

/// Most points of a mark.
const MAX_POINTS: usize = 64;
/// Most areas of one kind in a view.
pub const MAX_AREAS: usize = 64;
/// Longest side of a picture, pixels (JPEG knows no longer one).
pub const MAX_SIDE: u32 = 65_535;

/// What one picture of a package shows, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct View {
    /// Width and height of what the camera saw, from the file's top left corner. Below lies the
    /// caption.
    pub picture: [u32; 2],
    /// The accused vehicle: x, y, width, height.
    pub vehicle: [u32; 4],
    /// Corners of its plate, where it was found in this picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<Vec<u32>>>))]
    pub plate: Option<[[u32; 2]; 4]>,
    /// Other road users that reach into the accused vehicle's area.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<u32>>))]
    pub others: Vec<Area>,
    /// The lamps that the camera watches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<u32>>))]
    pub lamps: Vec<Area>,
    /// What was broken: a line by its points, an area by its corners with the first again at the
    /// end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<Vec<u32>>>))]
    pub marks: Vec<Mark>,
}

impl View {
    /// What is impossible about it, if anything.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        let [width, height] = self.picture;
        let inside = |[x, y]: [u32; 2]| x <= width && y <= height;
        let held = |[x, y, w, h]: Area| {
            w > 0 && h > 0 && inside([x.saturating_add(w), y.saturating_add(h)])
        };
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Some("has a picture of 0 or over 65535 pixels a side");
        }
        if self.others.len() > MAX_AREAS || self.lamps.len() > MAX_AREAS {
            return Some("lists more than 64 areas of one kind");
        }
        let areas = [self.vehicle].into_iter().chain(self.others.clone()).chain(self.lamps.clone());
        if self.marks.len() > MAX_AREAS || self.marks.iter().any(|mark| mark.len() > MAX_POINTS) {
            return Some("has over 64 marks, or one of over 64 points");
        }
        let points = self.plate.iter().flatten().chain(self.marks.iter().flatten());
        (!areas.into_iter().all(held) || !points.copied().all(inside))
            .then_some("has an empty area, or one that reaches out of its picture")
    }
}
