//! Eyes for recordings taken so near that vehicles fill the picture and are not seen as such: a
//! plate outside all of them stands for its vehicle. For measuring reading alone.

use contract::VehicleClass;
use plate_model::{BBox, Characters, Detection, Fusion, Models, Planes, PlateQuad, View};

use crate::watch::eyes::Eyes;

/// A vehicle around the plate this much less certain than the plate may be a part of one.
const LIKELY: f32 = 0.5;

/// Models that also follow loose plates.
#[derive(Debug)]
pub struct Loose(pub Models);

impl Eyes for Loose {
    fn vehicles(
        &mut self,
        planes: &Planes<'_>,
        view: &View,
    ) -> plate_model::Result<Vec<Detection>> {
        let mut found = Eyes::vehicles(&mut self.0, planes, view)?;
        let plates = self.0.plates_in_picture(planes)?;
        let loose = plates.iter().filter(|(quad, vehicle)| {
            vehicle.is_none_or(|vehicle| vehicle.score < LIKELY * quad.score)
        });
        found.extend(loose.map(|(quad, _)| {
            // Nearly all two-row plates are motorbikes'.
            let class = if quad.rows == 2 { VehicleClass::Motorbike } else { VehicleClass::Car };
            Detection { class, score: quad.score, bbox: around(quad) }
        }));
        Ok(found)
    }

    fn plate(
        &mut self,
        planes: &Planes<'_>,
        bbox: BBox,
    ) -> plate_model::Result<Option<(PlateQuad, Characters)>> {
        Eyes::plate(&mut self.0, planes, bbox)
    }

    fn fusion(&self, class: VehicleClass) -> Fusion {
        Eyes::fusion(&self.0, class)
    }
}

/// The rear that a plate belongs to: three plates wide, two plate widths high above the plate.
fn around(quad: &PlateQuad) -> BBox {
    let plate = quad.bbox();
    let (side, bottom) = (plate.width(), plate.y2 + 0.5 * plate.height());
    BBox::new(plate.x1 - side, plate.y1 - 2.0 * side, plate.x2 + side, bottom)
}
