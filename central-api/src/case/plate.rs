//! A plate as an officer or an owner types it, and as it is shown.

use contract::VehicleClass;
use contract::plate::{self, Parsed, PlateColour, PlateNumber, Sight};

pub use contract::plate::normalise;

/// The number that `typed` is for a vehicle of this kind. Where two classes share the characters
/// and the colour does not settle it, the number is still certain and the first class is shown.
pub fn read(
    typed: &str,
    vehicle: VehicleClass,
    colour: Option<PlateColour>,
) -> Option<PlateNumber> {
    // A wrongly seen colour must not make a right number invalid: look again without it.
    let colours = [colour, None, Some(PlateColour::Blue), Some(PlateColour::Red)];
    colours.into_iter().find_map(|colour| {
        let sight = Sight { rows: None, colour, vehicle: Some(vehicle) };
        match plate::parse(typed, &sight) {
            Parsed::One(number) => Some(number),
            Parsed::Ambiguous(numbers) => {
                let first = numbers.first()?;
                numbers.iter().all(|other| other.text() == first.text()).then(|| first.clone())
            }
            Parsed::None => None,
        }
    })
}

/// The number in its legal layout, or as it stands where it fits none.
pub fn display(plate: &str, vehicle: VehicleClass, colour: Option<PlateColour>) -> String {
    read(plate, vehicle, colour).map_or_else(|| plate.to_owned(), |number| number.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_for_its_vehicle() {
        let read = |typed, vehicle| read(typed, vehicle, None).map(|number| number.display());
        assert_eq!(read("30f 256.58", VehicleClass::Car), Some("30F-256.58".into()));
        assert_eq!(read("29-b1 234.56", VehicleClass::Motorbike), Some("29-B1 234.56".into()));
        // The same characters are another number on a motorbike.
        assert_eq!(read("30F-256.58", VehicleClass::Motorbike), Some("30-F2 5658".into()));
        assert_eq!(read("80-001-NG-01", VehicleClass::Motorbike), None);
        assert_eq!(read("13A-123.45", VehicleClass::Car), None);
    }

    #[test]
    fn a_wrong_colour_does_not_make_a_right_number_invalid() {
        let number = read("80A-123.45", VehicleClass::Car, Some(PlateColour::Red));
        assert_eq!(number.map(|number| number.text().to_owned()), Some("80A12345".into()));
    }
}
