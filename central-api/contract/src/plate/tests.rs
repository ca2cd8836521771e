//! Real layouts of every class, ambiguity, repair.

use super::*;
use PlateClass::*;

fn sight(rows: u8, colour: PlateColour, vehicle: VehicleClass) -> Sight {
    Sight { rows: Some(rows), colour: Some(colour), vehicle: Some(vehicle) }
}

const UNSEEN: Sight = Sight { rows: None, colour: None, vehicle: None };

/// Text and class of the only number in `text`.
fn only(text: &str, sight: &Sight) -> (String, PlateClass) {
    match parse(text, sight) {
        Parsed::One(plate) => (plate.text().to_owned(), plate.class()),
        other => panic!("{text}: {other:?}"),
    }
}

fn classes(text: &str, sight: &Sight) -> Vec<PlateClass> {
    match parse(text, sight) {
        Parsed::One(plate) => vec![plate.class()],
        Parsed::Ambiguous(plates) => plates.iter().map(PlateNumber::class).collect(),
        Parsed::None => Vec::new(),
    }
}

#[test]
fn every_layout_reads_and_displays_itself() {
    use PlateColour::{Blue, Red, White, Yellow};
    use VehicleClass::{Bus, Car, Motorbike, Truck};
    let rows = [
        ("30F-256.58", CarCivil, sight(1, White, Car)),
        ("51B-123.45", CarCivil, sight(2, Yellow, Bus)),
        ("29A-1234", CarCivil, sight(1, White, Truck)),
        ("80A-123.45", CarState, sight(1, Blue, Car)),
        ("29-AA 123.45", MotorbikeNew, sight(2, White, Motorbike)),
        ("59-GR 123.45", MotorbikeNew, sight(2, White, Motorbike)),
        ("29-B1 123.45", MotorbikeOld, sight(2, White, Motorbike)),
        ("29-B1 1234", MotorbikeOld, sight(2, White, Motorbike)),
        ("29-A1 123.45", MotorbikeState, sight(2, Blue, Motorbike)),
        ("51LD-123.45", Special, sight(1, White, Car)),
        ("51LD-1234", Special, sight(2, White, Car)),
        ("15RM-012.34", Special, sight(2, White, Truck)),
        ("51R-012.34", Special, sight(2, White, Truck)),
        ("29KT-123.45", Special, sight(1, White, Car)),
        ("29CD-123.45", Special, sight(2, Blue, Truck)),
        ("29TĐ-123.45", Special, sight(2, White, Car)),
        ("29-MĐ 123.45", Special, sight(2, White, Motorbike)),
        ("29-MĐ1 123.45", Special, sight(2, White, Motorbike)),
        ("T80-235.88", Temporary, sight(2, White, Car)),
        ("80-001-NG-01", ForeignCar, sight(1, White, Car)),
        ("51-123-NN-456", ForeignMotorbike, sight(2, White, Motorbike)),
        ("AB-12-34", Military, sight(1, Red, Car)),
        ("AB 123", Military, sight(2, Red, Motorbike)),
        ("TM 12345", Military, sight(1, Red, Truck)),
    ];
    for (text, class, sight) in rows {
        assert_eq!(only(text, &sight), (normalise(text), class), "{text}");
        let plate = PlateNumber::new(&normalise(text), class).unwrap();
        assert_eq!(plate.display(), text);
    }
}

#[test]
fn text_alone_leaves_car_or_motorbike_open() {
    assert_eq!(classes("29B12345", &UNSEEN), [CarCivil, MotorbikeOld]);
    let one_row = Sight { rows: Some(1), ..UNSEEN };
    assert_eq!(classes("29B12345", &one_row), [CarCivil]);
    let motorbike = Sight { vehicle: Some(VehicleClass::Motorbike), ..UNSEEN };
    assert_eq!(classes("29B12345", &motorbike), [MotorbikeOld]);
    let blue = Sight { colour: Some(PlateColour::Blue), ..UNSEEN };
    assert_eq!(classes("29B12345", &blue), [CarState, MotorbikeState]);
    let yellow = Sight { colour: Some(PlateColour::Yellow), ..UNSEEN };
    assert_eq!(classes("29B12345", &yellow), [CarCivil]);
}

#[test]
fn a_series_of_two_letters_may_be_special_or_a_motorbikes() {
    let truck = Sight { vehicle: Some(VehicleClass::Truck), ..UNSEEN };
    let motorbike = Sight { vehicle: Some(VehicleClass::Motorbike), ..UNSEEN };
    for text in ["51LD12345", "29KT12345", "29CD12345"] {
        assert_eq!(classes(text, &UNSEEN), [MotorbikeNew, Special], "{text}");
        assert_eq!(classes(text, &truck), [Special], "{text}");
        assert_eq!(classes(text, &motorbike), [MotorbikeNew], "{text}");
    }
    assert_eq!(classes("51LD1234", &UNSEEN), [Special], "new motorbikes have five digits");
}

#[test]
fn a_camera_cannot_tell_the_stroke_of_a_moped_series() {
    let moped = sight(2, PlateColour::White, VehicleClass::Motorbike);
    assert_eq!(classes("29MD12345", &moped), [MotorbikeNew, Special]);
    assert_eq!(classes("29-MD 123.45", &moped), [MotorbikeNew, Special]);
    assert_eq!(classes("29-MĐ 123.45", &moped), [Special]);
    assert_eq!(classes("29-MD\u{335} 123.45", &UNSEEN), [Special]);
    assert_eq!(classes("29LĐ12345", &UNSEEN), [], "no such series");
}

#[test]
fn a_stroke_makes_another_number() {
    let moped = sight(2, PlateColour::White, VehicleClass::Motorbike);
    let Parsed::Ambiguous(both) = parse("29MD56789", &moped) else { panic!("one") };
    let shown: Vec<String> = both.iter().map(PlateNumber::display).collect();
    assert_eq!(shown, ["29-MD 567.89", "29-MĐ 567.89"]);
    assert_ne!(both[0].text(), both[1].text());
    // Where only one of the two exists, the camera's D is that one.
    assert_eq!(only("29MD112345", &moped), ("29MĐ112345".into(), Special));
    assert_eq!(only("29TD12345", &sight(1, PlateColour::White, VehicleClass::Car)).0, "29TĐ12345");
    assert_eq!(both[1].as_seen(), both[0].text());
    assert_eq!(stroked_twin(&both[0]), Some(both[1].clone()));
    assert_eq!(stroked_twin(&both[1]), None);
}

#[test]
fn boxes_that_wrote_d_for_both_are_understood_by_the_class() {
    assert_eq!(PlateNumber::sealed("29MD112345", Some(Special)), "29MĐ112345");
    assert_eq!(PlateNumber::sealed("29MĐ112345", Some(Special)), "29MĐ112345");
    assert_eq!(PlateNumber::sealed("29MD56789", Some(MotorbikeNew)), "29MD56789");
    assert_eq!(PlateNumber::sealed("29MD56789", None), "29MD56789");
    assert_eq!(PlateNumber::sealed("51LD12345", Some(Special)), "51LD12345");
}

#[test]
fn a_number_written_in_its_layout_settles_itself() {
    assert_eq!(only("29B-123.45", &UNSEEN).1, CarCivil);
    assert_eq!(only("29-b1 2345", &UNSEEN).1, MotorbikeOld);
    assert_eq!(only("51LD-123.45", &UNSEEN).1, Special);
    assert_eq!(only(" 51-LD 123.45 ", &UNSEEN).1, MotorbikeNew);
}

#[test]
fn a_short_foreign_plate_gives_the_same_text_as_a_long_one() {
    let car = sight(2, PlateColour::White, VehicleClass::Car);
    assert_eq!(only("80NG00101", &car), ("80001NG01".to_owned(), ForeignCar));
    assert_eq!(only("80001NG01", &car), ("80001NG01".to_owned(), ForeignCar));
    assert_eq!(classes("80NG00101", &UNSEEN), [ForeignCar, MotorbikeNew]);
}

#[test]
fn what_no_plate_can_show_is_no_number() {
    for text in [
        "",
        "30",
        "30F",
        "30F123",
        "30F1234567",
        "13A12345",
        "46A12345",
        "00A12345",
        "30I12345",
        "30O12345",
        "30W12345",
        "29AR123",
        "29RA12345",
        "29AO12345",
        "29B012345",
        "T1312345",
        "80001XX01",
        "ABC1234",
        "AB12",
        "AB1234567",
        "30F25658EXTRATEXT",
    ] {
        assert_eq!(parse(text, &UNSEEN), Parsed::None, "{text}");
    }
    let red = Sight { colour: Some(PlateColour::Red), ..UNSEEN };
    assert_eq!(parse("30F25658", &red), Parsed::None);
    let white = Sight { colour: Some(PlateColour::White), ..UNSEEN };
    assert_eq!(parse("AB1234", &white), Parsed::None);
}

#[test]
fn provinces_of_numbers() {
    let province = |text: &str, class| PlateNumber::new(text, class).unwrap().province();
    assert_eq!(
        province("77A12345", CarCivil).map(|p| (p.old, p.new)),
        Some(("Bình Định", "Gia Lai"))
    );
    assert_eq!(province("T8023588", Temporary).map(|p| p.new), Some("Cục CSGT"));
    assert_eq!(province("51123NN456", ForeignMotorbike).map(|p| p.code), Some(51));
    assert_eq!(province("AB1234", Military), None);
}

#[test]
fn json_cannot_carry_a_number_that_is_none() {
    let plate = PlateNumber::new("29B112345", MotorbikeOld).unwrap();
    let json = serde_json::to_string(&plate).unwrap();
    assert_eq!(json, r#"{"text":"29B112345","class":"motorbike_old"}"#);
    assert_eq!(serde_json::from_str::<PlateNumber>(&json).unwrap(), plate);
    for bad in [
        r#"{"text":"29MD112345","class":"special"}"#,
        r#"{"text":"29B112345","class":"car_civil"}"#,
        r#"{"text":"29-B1 123.45","class":"motorbike_old"}"#,
        r#"{"text":"80NG00101","class":"foreign_car"}"#,
    ] {
        assert!(serde_json::from_str::<PlateNumber>(bad).is_err(), "{bad}");
    }
}

fn repaired(text: &str, sight: &Sight, confident: &[bool]) -> Vec<(String, u32)> {
    let candidates = repair(text, sight, confident);
    candidates.iter().map(|c| (c.plate.text().to_owned(), c.cost)).collect()
}

#[test]
fn repair_tries_the_grammar_first() {
    let car = sight(1, PlateColour::White, VehicleClass::Car);
    assert_eq!(repaired("30F25658", &car, &[]), [("30F25658".to_owned(), 0)]);
    assert_eq!(repaired("29B12345", &UNSEEN, &[]).len(), 2, "ambiguous but not misread");
}

#[test]
fn repair_uses_the_usual_confusions() {
    let car = sight(1, PlateColour::White, VehicleClass::Car);
    assert_eq!(repaired("3OF2S6S8", &car, &[]), [("30F25658".to_owned(), 3)]);
    assert_eq!(repaired("30812345", &car, &[]), [("30B12345".to_owned(), 1)]);
    // Both are as likely: the caller abstains.
    let two = [("30L12345".to_owned(), 1), ("30T12345".to_owned(), 1)];
    assert_eq!(repaired("30112345", &car, &[]), two);
    let motorbike = sight(2, PlateColour::White, VehicleClass::Motorbike);
    assert_eq!(repaired("29BI12345", &motorbike, &[]), [("29B112345".to_owned(), 1)]);
    assert_eq!(repaired("Z9AA12E45", &motorbike, &[]), [], "E is read for no digit");
    assert_eq!(repaired("4G-A123.45", &car, &[]), [], "46 is no code");
}

#[test]
fn repair_leaves_confident_characters() {
    let car = sight(1, PlateColour::White, VehicleClass::Car);
    let mut confident = [false; 8];
    confident[2] = true;
    assert_eq!(repaired("30812345", &car, &confident), []);
    confident[2] = false;
    confident[7] = true;
    assert_eq!(repaired("30812345", &car, &confident), [("30B12345".to_owned(), 1)]);
}

/// What `text` is for the vehicle: a number, or in brackets the other vehicle's it is written like.
fn read(text: &str, vehicle: VehicleClass) -> String {
    match typed(text, &Sight { vehicle: Some(vehicle), ..UNSEEN }) {
        Typed::Number(number) => number.display(),
        Typed::OtherVehicle(number) => format!("({})", number.display()),
        Typed::Ambiguous(numbers) => format!("{numbers:?}"),
        Typed::NoNumber => "none".into(),
    }
}

#[test]
fn the_written_layout_is_stronger_than_the_vehicle_asked_for() {
    use VehicleClass::{Car, Motorbike, Truck};
    for (text, vehicle, expected) in [
        ("29-B1 2345", Motorbike, "29-B1 2345"),
        ("29-B1 2345", Car, "(29-B1 2345)"),
        ("29B1-2345", Car, "(29-B1 2345)"),
        ("29B1 2345", Truck, "(29-B1 2345)"),
        ("29.B1.2345", Car, "(29-B1 2345)"),
        ("29 B1 23 45", Car, "(29-B1 2345)"),
        ("29B-123.45", Car, "29B-123.45"),
        ("29B-123.45", Motorbike, "(29B-123.45)"),
        ("29B 12345", Motorbike, "(29B-123.45)"),
        ("29-B-123.45", Motorbike, "(29B-123.45)"),
        ("29 B 12345", Car, "29B-123.45"),
        ("29b\n123.45", Car, "29B-123.45"),
        ("29-b1\r\n2345", Motorbike, "29-B1 2345"),
        ("29B12345", Car, "29B-123.45"),
        ("29B12345", Motorbike, "29-B1 2345"),
        ("29B1-234.56", Motorbike, "29-B1 234.56"),
        ("29B123456", Car, "(29-B1 234.56)"),
        ("51LD-123.45", Truck, "51LD-123.45"),
        ("51-LD 123.45", Truck, "(51-LD 123.45)"),
        ("51LD12345", Motorbike, "51-LD 123.45"),
        ("80-NG-001-01", Car, "80-001-NG-01"),
        ("80-001-NG-01", Motorbike, "(80-001-NG-01)"),
        ("80-NG 001.01", Car, "80-001-NG-01"),
        ("TM 12-34", Motorbike, "TM-12-34"),
        ("T80-235.88", Car, "T80-235.88"),
    ] {
        assert_eq!(read(text, vehicle), expected, "{text} {vehicle:?}");
    }
}

#[test]
fn what_people_put_round_a_number_is_understood() {
    let spaces = " ".repeat(500);
    for text in [
        "BKS: 30F-256.58",
        "bks 30f-256.58",
        "BKS30F25658",
        "Biển số: 30F-256.58",
        "biê\u{309}n sô\u{301} xe 30F - 256 . 58",
        "Biển kiểm soát: 30F-256.58",
        "BIEN KIEM SOAT XE: 30F 25658",
        "Xe BKS 30F-256.58.",
        "３０Ｆ－２５６．５８",
        "30F–256·58",
        "30F\u{200B}-256.58\u{FEFF}",
        &format!("{spaces}30F-256.58{spaces}"),
    ] {
        assert_eq!(read(text, VehicleClass::Car), "30F-256.58", "{text}");
    }
    assert_eq!(read("BS 1234", VehicleClass::Car), "BS-12-34", "a military number is no label");
    for text in ["BKS", "BKS:", "", "30F-256.58 và 30F-256.59", "30FА-256.58", "30F-256.58ж"] {
        assert_eq!(read(text, VehicleClass::Car), "none", "{text}");
    }
}

#[test]
fn a_written_d_is_a_d_where_such_a_number_exists() {
    use VehicleClass::{Car, Motorbike};
    for (text, vehicle, expected) in [
        ("29-MĐ 567.89", Motorbike, "29-MĐ 567.89"),
        ("29-mđ 567.89", Motorbike, "29-MĐ 567.89"),
        ("29-MD\u{335} 567.89", Motorbike, "29-MĐ 567.89"),
        ("29-MÐ 567.89", Motorbike, "29-MĐ 567.89"),
        ("29-MD 567.89", Motorbike, "29-MD 567.89"),
        ("29MD56789", Motorbike, "29-MD 567.89"),
        ("29MĐ56789", Motorbike, "29-MĐ 567.89"),
        ("29-MD1 123.45", Motorbike, "29-MĐ1 123.45"),
        ("29-MD 1234", Motorbike, "29-MĐ 1234"),
        ("29-MĐ 567.89", Car, "(29-MĐ 567.89)"),
        ("51TD-123.45", Car, "51TĐ-123.45"),
        ("51TĐ-123.45", Motorbike, "51TĐ-123.45"),
        ("51-TD 123.45", Motorbike, "51-TD 123.45"),
        ("51-TD 123.45", Car, "(51-TD 123.45)"),
        ("29-LĐ 123.45", Car, "none"),
    ] {
        assert_eq!(read(text, vehicle), expected, "{text} {vehicle:?}");
    }
    assert!(matches!(typed("29B12345", &UNSEEN), Typed::Ambiguous(two) if two.len() == 2));
}
