//! Arbitrary text through the plate grammar: no panic, bounded output, every promise kept.
//!
//! Input: rows, colour, vehicle, 16 bits of confident positions, then the text.
#![no_main]

use contract::VehicleClass;
use contract::plate::{
    MAX_CHARS, Parsed, PlateColour, PlateNumber, Sight, Typed, normalise, parse, repair, typed,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [rows, colour, vehicle, low, high, text @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let pick = |index: &u8, len: usize| usize::from(*index) % (len + 1);
    let colours = [PlateColour::White, PlateColour::Yellow, PlateColour::Blue, PlateColour::Red];
    let sight = Sight {
        rows: [1, 2].get(pick(rows, 2)).copied(),
        colour: colours.get(pick(colour, 4)).copied(),
        vehicle: VehicleClass::ALL.get(pick(vehicle, 4)).copied(),
    };

    let normal = normalise(text);
    assert!(normal.chars().count() <= MAX_CHARS);
    assert!(normal.chars().all(|c| matches!(c, 'A'..='Z' | '0'..='9' | 'Đ')));
    assert_eq!(normalise(&normal), normal);

    let exact = match parse(text, &sight) {
        Parsed::None => Vec::new(),
        Parsed::One(plate) => vec![plate],
        Parsed::Ambiguous(plates) => {
            assert!(plates.len() > 1);
            plates
        }
    };
    exact.iter().for_each(check);

    match typed(text, &sight) {
        Typed::Number(plate) | Typed::OtherVehicle(plate) => check(&plate),
        Typed::Ambiguous(plates) => {
            assert!(plates.len() > 1);
            plates.iter().for_each(check);
        }
        Typed::NoNumber => {}
    }

    let mask = u16::from_le_bytes([*low, *high]);
    let confident: [bool; 16] = std::array::from_fn(|bit| mask & (1 << bit) != 0);
    let candidates = repair(text, &sight, &confident);
    assert!(candidates.len() <= 64);
    assert!(candidates.is_sorted_by_key(|candidate| (candidate.cost, &candidate.plate)));
    for candidate in &candidates {
        check(&candidate.plate);
        assert_eq!(candidate.plate.text().chars().count(), normal.chars().count());
        assert_eq!(candidate.cost == 0, !exact.is_empty());
        assert!(candidate.cost <= confident.iter().filter(|sure| !**sure).count() as u32);
    }
});

/// What holds for every number, wherever it comes from.
fn check(plate: &PlateNumber) {
    assert_eq!(normalise(&plate.display()), plate.text());
    assert_eq!(PlateNumber::new(plate.text(), plate.class()).as_ref(), Ok(plate));
    let json = serde_json::to_string(plate).expect("two plain fields");
    assert_eq!(serde_json::from_str::<PlateNumber>(&json).as_ref().ok(), Some(plate));
    plate.province();
}
