//! Generated numbers of every class.

use contract::VehicleClass;
use contract::plate::{
    MAX_CHARS, Parsed, PlateClass, PlateColour, PlateNumber, Province, Sight, Typed, normalise,
    parse, repair, typed,
};
use proptest::prelude::*;
use proptest::sample::select;

/// Text of a number of `class`, by its own description of the law rather than the crate's.
fn text_of(class: PlateClass) -> BoxedStrategy<String> {
    let codes: Vec<String> = Province::all().map(|p| p.code.to_string()).collect();
    let pattern = match class {
        PlateClass::CarCivil => "[A-HK-NPS-VXYZ][0-9]{4,5}",
        PlateClass::CarState => "[A-HK-M][0-9]{4,5}",
        PlateClass::MotorbikeNew => "[A-HK-NPS-VXYZ][A-HK-NPR-VXYZ][0-9]{5}",
        PlateClass::MotorbikeOld => "[A-HK-NPS-VXYZ][1-9][0-9]{4,5}",
        PlateClass::MotorbikeState => "[A-HK-M][1-9][0-9]{4,5}",
        PlateClass::Special => "(LD|DA|RM|MK|HC|KT|MĐ[1-9]?|CD|TĐ|LB|CT|R)[0-9]{4,5}",
        PlateClass::Temporary => "[0-9]{5}",
        PlateClass::ForeignCar => "[0-9]{3}(NG|QT|CV|NN)[0-9]{2}",
        PlateClass::ForeignMotorbike => "[0-9]{3}(NG|QT|CV|NN)[0-9]{3}",
        PlateClass::Military => return "[A-Z]{2}[0-9]{3,6}".boxed(),
    };
    let lead = if class == PlateClass::Temporary { "T" } else { "" };
    (select(codes), pattern).prop_map(move |(code, rest)| format!("{lead}{code}{rest}")).boxed()
}

fn number() -> impl Strategy<Value = PlateNumber> {
    select(PlateClass::ALL.to_vec()).prop_flat_map(|class| {
        text_of(class).prop_map(move |text| {
            PlateNumber::new(&text, class).unwrap_or_else(|error| panic!("{text}: {error}"))
        })
    })
}

fn is_moped(plate: &PlateNumber) -> bool {
    plate.class() == PlateClass::Special && plate.text()[2..].starts_with("MĐ")
}

/// A plate of this class as a camera sees it whole.
fn seen(plate: &PlateNumber) -> Sight {
    let two_wheeled = plate.class().is_two_wheeled().unwrap_or_else(|| is_moped(plate));
    Sight {
        rows: Some(if two_wheeled { 2 } else { 1 }),
        colour: plate.class().colours().first().copied(),
        vehicle: Some(if two_wheeled { VehicleClass::Motorbike } else { VehicleClass::Car }),
    }
}

fn sight() -> impl Strategy<Value = Sight> {
    use PlateColour::{Blue, Red, White, Yellow};
    let rows = prop::option::of(1_u8..=2);
    let colour = prop::option::of(select(vec![White, Yellow, Blue, Red]));
    let vehicle = prop::option::of(select(VehicleClass::ALL.to_vec()));
    (rows, colour, vehicle).prop_map(|(rows, colour, vehicle)| Sight { rows, colour, vehicle })
}

/// A number with some characters read wrongly, or no number at all.
fn misread() -> impl Strategy<Value = String> {
    let replaced = prop::collection::vec(prop::option::weighted(0.2, "[0-9A-Z]"), MAX_CHARS);
    let spoilt = (number(), replaced).prop_map(|(plate, replaced)| {
        let read = |(c, other): (char, Option<String>)| other.unwrap_or_else(|| c.to_string());
        plate.as_seen().chars().zip(replaced).map(read).collect()
    });
    prop_oneof![4 => spoilt, 1 => "[0-9A-Z]{0,12}"]
}

/// Orders in which a number's characters may stand in the text it was read from: for each
/// character, its position there. A short foreign plate shows its country before its number.
fn orders(class: PlateClass, len: usize) -> Vec<Vec<usize>> {
    let straight: Vec<usize> = (0..len).collect();
    match class {
        PlateClass::ForeignCar | PlateClass::ForeignMotorbike => {
            let short = [0, 1, 4, 5, 6, 2, 3].into_iter().chain(7..len).collect();
            vec![straight, short]
        }
        _ => vec![straight],
    }
}

proptest! {
    #[test]
    fn what_is_seen_whole_is_read_as_its_class(plate in number()) {
        let read = parse(&plate.as_seen(), &seen(&plate));
        match &read {
            // Five digits after MD or TD are a new motorbike's too: nobody can see the stroke.
            Parsed::Ambiguous(list) => {
                prop_assert!(list.contains(&plate) && list.len() == 2);
                prop_assert!(matches!(&plate.as_seen()[2..4], "MD" | "TD"));
                prop_assert_ne!(list[0].text(), list[1].text());
            }
            _ => prop_assert_eq!(read, Parsed::One(plate)),
        }
    }

    #[test]
    fn the_legal_layout_reads_back(plate in number()) {
        let shown = plate.display();
        prop_assert_eq!(normalise(&shown), plate.text());
        let read = parse(&shown, &seen(&plate));
        if plate.class() == PlateClass::MotorbikeNew && &plate.text()[2..4] == "MD" {
            prop_assert!(matches!(read, Parsed::Ambiguous(list) if list.contains(&plate)));
        } else {
            prop_assert_eq!(read, Parsed::One(plate));
        }
    }

    #[test]
    fn what_is_written_is_read_for_its_vehicle_and_never_for_another(plate in number()) {
        let sight = |vehicle| Sight { vehicle: Some(vehicle), ..Sight::default() };
        let own = seen(&plate).vehicle.unwrap();
        let shown = plate.display();
        // Colour alone tells a state body's number from a citizen's: the text is the same.
        let read = typed(&format!("BKS: {shown}"), &sight(own)).number();
        let read = read.map(|number| number.text().to_owned());
        prop_assert_eq!(read.as_deref(), Some(plate.text()));
        let other = match own {
            VehicleClass::Motorbike => VehicleClass::Car,
            _ => VehicleClass::Motorbike,
        };
        match typed(&shown, &sight(other)) {
            Typed::OtherVehicle(number) => prop_assert_eq!(number.text(), plate.text()),
            // A short foreign plate reads its country before its number: as a motorbike's series.
            Typed::Number(number)
                if plate.class() == PlateClass::MotorbikeNew
                    && number.class() == PlateClass::ForeignCar =>
            {
                prop_assert!(["NG", "CV", "NN"].contains(&&plate.text()[2..4]));
                prop_assert_eq!(&number.text()[5..7], &plate.text()[2..4]);
            }
            // Some numbers are carried on whatever wheels.
            Typed::Number(number) => {
                prop_assert_eq!(number.text(), plate.text());
                prop_assert!(plate.is_two_wheeled().is_none());
            }
            read => prop_assert!(false, "{:?}", read),
        }
    }

    #[test]
    fn less_seen_never_hides_the_number(plate in number(), rows: bool, vehicle: bool) {
        let full = seen(&plate);
        let sight = Sight {
            rows: full.rows.filter(|_| rows),
            vehicle: full.vehicle.filter(|_| vehicle),
            ..full
        };
        match parse(&plate.as_seen(), &sight) {
            Parsed::One(read) => prop_assert_eq!(read, plate),
            Parsed::Ambiguous(list) => prop_assert!(list.contains(&plate)),
            Parsed::None => prop_assert!(false, "not read"),
        }
    }

    #[test]
    fn normal_form_is_final(text in "\\PC{0,40}") {
        let once = normalise(&text);
        prop_assert!(once.chars().count() <= MAX_CHARS);
        prop_assert!(once.chars().all(|c| matches!(c, 'A'..='Z' | '0'..='9' | 'Đ')));
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn json_round_trip(plate in number()) {
        let json = serde_json::to_string(&plate).unwrap();
        prop_assert_eq!(serde_json::from_str::<PlateNumber>(&json).unwrap(), plate);
    }

    #[test]
    fn repair_only_proposes_what_parses(text in misread(), sight in sight()) {
        let candidates = repair(&text, &sight, &[]);
        prop_assert!(candidates.len() <= 64);
        prop_assert!(candidates.is_sorted_by_key(|c| (c.cost, c.plate.clone())));
        let exact = match parse(&text, &sight) {
            Parsed::One(plate) => vec![plate],
            Parsed::Ambiguous(plates) => plates,
            Parsed::None => Vec::new(),
        };
        if exact.is_empty() {
            prop_assert!(candidates.iter().all(|c| c.cost > 0));
        } else {
            prop_assert!(candidates.iter().all(|c| c.cost == 0));
            let plates: Vec<_> = candidates.iter().map(|c| c.plate.clone()).collect();
            prop_assert_eq!(plates, exact);
        }
        for candidate in candidates {
            let fits = match parse(candidate.plate.text(), &sight) {
                Parsed::One(plate) => plate == candidate.plate,
                Parsed::Ambiguous(plates) => plates.contains(&candidate.plate),
                Parsed::None => false,
            };
            prop_assert!(fits, "{candidate:?}");
        }
    }

    #[test]
    fn repair_costs_what_it_changes_and_leaves_what_is_certain(
        text in misread(),
        sight in sight(),
        confident in prop::collection::vec(any::<bool>(), 0..12),
    ) {
        for candidate in repair(&text, &sight, &confident) {
            let repaired = candidate.plate.as_seen();
            prop_assert_eq!(repaired.len(), text.len());
            let may_change = |index: usize| !confident.get(index).copied().unwrap_or(false);
            let explained = orders(candidate.plate.class(), text.len()).into_iter().any(|order| {
                let mut changed = order
                    .iter()
                    .zip(repaired.bytes())
                    .filter_map(|(from, c)| (text.as_bytes()[*from] != c).then_some(*from));
                changed.clone().count() == candidate.cost as usize && changed.all(may_change)
            });
            prop_assert!(explained, "{candidate:?}");
        }
    }

    #[test]
    fn more_certainty_never_adds_or_cheapens_a_candidate(
        text in misread(),
        sight in sight(),
        confident in prop::collection::vec(any::<bool>(), MAX_CHARS),
        more in prop::collection::vec(any::<bool>(), MAX_CHARS),
    ) {
        let surer: Vec<bool> = confident.iter().zip(&more).map(|(a, b)| *a || *b).collect();
        let wide = repair(&text, &sight, &confident);
        for candidate in repair(&text, &sight, &surer) {
            prop_assert!(
                wide.iter().any(|c| c.plate == candidate.plate && c.cost <= candidate.cost),
                "{candidate:?}"
            );
        }
        let certain = repair(&text, &sight, &[true; MAX_CHARS]);
        prop_assert!(certain.iter().all(|candidate| candidate.cost == 0));
    }

    #[test]
    fn one_usual_confusion_is_undone(plate in number(), at in 0..10_usize) {
        let mut text = plate.as_seen();
        let at = at % text.len();
        let wrong = match text.as_bytes()[at] {
            b'0' => "O", b'1' => "I", b'2' => "Z", b'4' => "A", b'5' => "S", b'6' => "G",
            b'7' => "T", b'8' => "B", b'B' => "8", b'D' => "0", b'L' => "1", b'Z' => "2",
            b'A' => "4", b'S' => "5", b'G' => "6", b'T' => "7",
            _ => return Ok(()),
        };
        text.replace_range(at..=at, wrong);
        let candidates = repair(&text, &seen(&plate), &[]);
        // Where the misread text fits as it is, nobody can know; else the number is proposed.
        prop_assert!(
            candidates.iter().any(|c| c.cost == 0 || (c.plate == plate && c.cost == 1)),
            "{text}: {candidates:?}"
        );
    }
}
