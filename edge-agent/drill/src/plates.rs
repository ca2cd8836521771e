//! Plates that nobody can read. A candidate, no accusation, so it has no row of its own here: how often
//! the plate of who hides nothing is not read in any look is told by pixels (`make score`).

use contract::VehicleClass;

use super::luck::Luck;
use super::scene::{Beyond, Camera, Case, Unread, Vehicle};
use super::sight::Sight;
use super::{Class, violation};

pub const HIDDEN: Class = violation("plate_hidden", "covered or gone", hidden);

/// Away from the camera through the place where others' plates are read.
fn hidden(luck: &mut Luck) -> Case {
    let class = luck.pick(&VehicleClass::ALL);
    let (x, took) = (luck.between(350.0, 650.0), luck.between(3.0, 6.0));
    let way = vec![(0.0, x, 980.0), (took, x, 500.0)];
    let vehicle = Vehicle::new(luck, Camera::default(), class, way);
    let site = "[plate_hidden]\nname = \"1\"\nheight = 0.06\n\
                area = [[0.1, 0.99], [0.1, 0.5], [0.9, 0.5], [0.9, 0.99]]";
    let sight = Sight::plain(luck);
    let unread = Unread { found: luck.between(0.0, 1.0), others: 12, others_read: 11 };
    Case {
        beyond: Beyond { unread: Some(unread), ..Beyond::default() },
        ..Case::new(site.into(), vehicle, sight)
    }
}
