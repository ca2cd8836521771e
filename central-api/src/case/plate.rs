//! A plate as an officer or an owner types it, and as it is shown.

use contract::VehicleClass;
use contract::plate::{self, PlateColour, PlateNumber, Sight, Typed, normalise};

/// What was typed for a vehicle of this kind.
pub fn typed(text: &str, vehicle: VehicleClass, colour: Option<PlateColour>) -> Typed {
    plate::typed(text, &Sight { rows: None, colour, vehicle: Some(vehicle) })
}

/// The number that `text` is for a vehicle of this kind.
pub fn read(text: &str, vehicle: VehicleClass, colour: Option<PlateColour>) -> Option<PlateNumber> {
    typed(text, vehicle, colour).number()
}

/// A number as it is kept today: some older ones are on record without the stroke of their only
/// spelling.
pub fn kept(text: &str, vehicle: VehicleClass) -> String {
    read(text, vehicle, None).map_or_else(|| text.to_owned(), |number| number.text().to_owned())
}

/// The characters to search for: those of the number that was typed, else those typed.
pub fn search_text(text: &str) -> String {
    let numbers = match plate::typed(text, &Sight::default()) {
        Typed::Number(number) => vec![number],
        Typed::Ambiguous(numbers) => numbers,
        Typed::OtherVehicle(_) | Typed::NoNumber => Vec::new(),
    };
    let mut texts: Vec<&str> = numbers.iter().map(PlateNumber::text).collect();
    texts.dedup();
    match texts[..] {
        [one] => one.to_owned(),
        _ => normalise(text),
    }
}

/// The number in its legal layout, or as it stands where it fits none.
pub fn display(plate: &str, vehicle: VehicleClass, colour: Option<PlateColour>) -> String {
    read(plate, vehicle, colour).map_or_else(|| plate.to_owned(), |number| number.display())
}

#[cfg(test)]
mod tests {
    use contract::plate::PlateClass;

    use super::*;

    #[test]
    fn a_number_is_read_for_its_vehicle() {
        let read = |typed, vehicle| read(typed, vehicle, None).map(|number| number.display());
        assert_eq!(read("30f 256.58", VehicleClass::Car), Some("30F-256.58".into()));
        assert_eq!(read("29-b1 234.56", VehicleClass::Motorbike), Some("29-B1 234.56".into()));
        // The same characters are another number on a motorbike, but not as written here.
        assert_eq!(read("30F25658", VehicleClass::Motorbike), Some("30-F2 5658".into()));
        assert_eq!(read("30F-256.58", VehicleClass::Motorbike), None);
        assert_eq!(read("80-001-NG-01", VehicleClass::Motorbike), None);
        assert_eq!(read("13A-123.45", VehicleClass::Car), None);
    }

    #[test]
    fn what_is_kept_is_shown_as_it_was_read() {
        for text in ["29-MĐ 567.89", "29-MD 567.89", "29-MĐ1 123.45"] {
            let number = read(text, VehicleClass::Motorbike, None).unwrap();
            assert_eq!(display(number.text(), VehicleClass::Motorbike, None), text);
        }
    }

    #[test]
    fn what_was_kept_without_its_stroke_is_read_with_it_where_that_is_certain() {
        let kept = |text| kept(text, VehicleClass::Motorbike);
        assert_eq!(kept("29MD112345"), "29MĐ112345");
        assert_eq!(kept("29MD56789"), "29MD56789");
        assert_eq!(kept("29MĐ56789"), "29MĐ56789");
        assert_eq!(kept("no number"), "no number");
    }

    #[test]
    fn a_search_is_for_the_number_s_characters() {
        for (typed, text) in [
            ("BKS: 29-B1 2345", "29B12345"),
            ("80-001-NG-01", "80001NG01"),
            ("29-MĐ 567.89", "29MĐ56789"),
            ("29md1-123.45", "29MĐ112345"),
            ("29b1", "29B1"),
        ] {
            assert_eq!(search_text(typed), text, "{typed}");
        }
    }

    #[test]
    fn a_wrong_colour_does_not_make_a_right_number_invalid() {
        let number = read("80A-123.45", VehicleClass::Car, Some(PlateColour::Red));
        assert_eq!(number.map(|number| number.text().to_owned()), Some("80A12345".into()));
        let number = read("80A-123.45", VehicleClass::Car, Some(PlateColour::Blue));
        assert_eq!(number.map(|number| number.class()), Some(PlateClass::CarState));
    }
}
