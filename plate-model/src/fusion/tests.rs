use super::*;
use crate::reader::channel;

const ONE_ROW: u8 = 1;
const TWO_ROWS: u8 = 2;

/// A reading with the same probability for every character; the rest is spread evenly.
fn reading(text: &str, probability: f32) -> Characters {
    let mut probabilities = [[0.0; SYMBOLS]; POSITIONS];
    for (position, into) in probabilities.iter_mut().enumerate() {
        let at = text.chars().nth(position).and_then(channel).unwrap_or(BLANK);
        into.fill((1.0 - probability) / (SYMBOLS - 1) as f32);
        into[at] = probability;
    }
    Characters { probabilities, sharpness: 0.5, glare: false }
}

/// The same with some probability moved to other characters: (position from 0, character, share).
fn doubtful(text: &str, changes: &[(usize, char, f32)]) -> Characters {
    let mut characters = reading(text, 0.995);
    for (position, other, share) in changes {
        let own = channel(text.chars().nth(*position).unwrap()).unwrap();
        characters.probabilities[*position].fill(1e-4);
        characters.probabilities[*position][own] = 1.0 - share - 0.0035;
        characters.probabilities[*position][channel(*other).unwrap()] = *share;
    }
    characters
}

fn quad(rows: u8, colour: PlateColour) -> PlateQuad {
    PlateQuad {
        corners: [[0.0, 0.0], [100.0, 0.0], [100.0, 50.0], [0.0, 50.0]],
        score: 0.9,
        rows,
        rows_confidence: 0.98,
        colour,
        colour_confidence: 0.97,
        cut: false,
    }
}

fn fused(vehicle: VehicleClass, rows: u8, colour: PlateColour, seen: &[Characters]) -> Verdict {
    let mut fusion = Fusion::new(vehicle);
    for characters in seen {
        fusion.add(characters, &quad(rows, colour), 1.0);
    }
    fusion.verdict()
}

#[test]
fn every_plate_class_comes_through() {
    use PlateColour::{Blue, Red, White, Yellow};
    use VehicleClass::{Bus, Car, Motorbike, Truck};
    for (text, vehicle, rows, colour, class) in [
        ("30F25658", Car, ONE_ROW, White, PlateClass::CarCivil),
        ("51B29876", Bus, TWO_ROWS, Yellow, PlateClass::CarCivil),
        ("80A12345", Car, ONE_ROW, Blue, PlateClass::CarState),
        ("29AA12345", Motorbike, TWO_ROWS, White, PlateClass::MotorbikeNew),
        ("29B112345", Motorbike, TWO_ROWS, White, PlateClass::MotorbikeOld),
        ("29A112345", Motorbike, TWO_ROWS, Blue, PlateClass::MotorbikeState),
        ("51LD12345", Truck, ONE_ROW, White, PlateClass::Special),
        ("T8023588", Car, ONE_ROW, White, PlateClass::Temporary),
        ("80001NG01", Car, ONE_ROW, White, PlateClass::ForeignCar),
        ("80001NG001", Motorbike, TWO_ROWS, White, PlateClass::ForeignMotorbike),
        ("TM1234", Car, ONE_ROW, Red, PlateClass::Military),
    ] {
        let verdict = fused(vehicle, rows, colour, &[reading(text, 0.98)]);
        assert_eq!(verdict.text.as_deref(), Some(text), "{:?}", verdict.doubt);
        assert_eq!(verdict.class, Some(class), "{text}");
        assert!(verdict.confidence > 0.9 && verdict.confidence <= 1.0, "{text}");
    }
}

#[test]
fn no_readings_no_plate() {
    let verdict = Fusion::new(VehicleClass::Car).verdict();
    assert_eq!((verdict.text.clone(), verdict.doubt.clone()), (None, Some(Doubt::NoReading)));
    assert_eq!(verdict.reading(), None);
}

#[test]
fn frames_outvote_a_blurred_one() {
    let good = reading("30F25658", 0.97);
    let bad = doubtful("30F25653", &[(7, '8', 0.3)]);
    let mut fusion = Fusion::new(VehicleClass::Car);
    for _ in 0..3 {
        fusion.add(&good, &quad(ONE_ROW, PlateColour::White), 0.9);
    }
    fusion.add(&bad, &quad(ONE_ROW, PlateColour::White), 0.2);
    let verdict = fusion.verdict();
    assert_eq!(verdict.text.as_deref(), Some("30F25658"));
    assert_eq!(verdict.frames, 4);
}

#[test]
fn two_confident_frames_that_disagree_are_a_tie() {
    let seen = [reading("30F25658", 0.99), reading("30F25653", 0.99)];
    let verdict = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!(verdict.text, None);
    let Some(Doubt::Tie { position: 8, first, second }) = verdict.doubt else {
        panic!("{:?}", verdict.doubt)
    };
    assert_eq!([first, second].iter().copied().max(), Some('8'));
}

#[test]
fn frames_that_disagree_on_length_are_a_tie() {
    let seen = [reading("30F25658", 0.97), reading("30F2565", 0.97)];
    let verdict = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert!(matches!(verdict.doubt, Some(Doubt::Length(_, _))), "{:?}", verdict.doubt);
    // A clear majority decides.
    let seen = [&seen[..], &[reading("30F25658", 0.97)]].concat();
    let verdict = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!((verdict.text.as_deref(), verdict.frames), (Some("30F25658"), 2));
}

#[test]
fn weakest_character_decides() {
    let seen = [doubtful("30F25658", &[(5, '8', 0.35)])];
    let verdict = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!(verdict.text, None);
    assert!(matches!(verdict.doubt, Some(Doubt::Weak { position: 6, .. })), "{:?}", verdict.doubt);
    assert_eq!(verdict.raw, "30F25658");
    assert!((verdict.confidence - 0.64).abs() < 0.02, "{}", verdict.confidence);
}

#[test]
fn what_one_look_leaves_open_three_agreeing_ones_settle() {
    let mut fusion = Fusion::with(
        VehicleClass::Motorbike,
        Thresholds { accept: 0.98, accept_fused: 0.85, ..Thresholds::default() },
    );
    let look = reading("29B112345", 0.93);
    for looks in 1..=AGREEING {
        fusion.add(&look, &quad(TWO_ROWS, PlateColour::White), 1.0);
        let verdict = fusion.verdict();
        assert_eq!(verdict.text.is_some(), looks == AGREEING, "{looks}: {verdict:?}");
    }
    // A weak character stays weak, however often it is seen.
    let mut weak = Fusion::with(VehicleClass::Motorbike, fusion.thresholds);
    for _ in 0..20 {
        let seen = doubtful("29B112345", &[(4, '7', 0.3)]);
        weak.add(&seen, &quad(TWO_ROWS, PlateColour::White), 1.0);
    }
    assert!(
        matches!(weak.verdict().doubt, Some(Doubt::Weak { position: 5, .. })),
        "{:?}",
        weak.verdict()
    );
}

#[test]
fn a_letter_is_no_rival_where_digits_stand() {
    let seen = [doubtful("30F25658", &[(7, 'B', 0.35)])];
    let verdict = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!(verdict.text.as_deref(), Some("30F25658"));
}

#[test]
fn uncertain_letter_among_digits_is_repaired() {
    let seen = [doubtful("30F2565B", &[(7, '8', 0.3)])];
    let verdict = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!(verdict.text.as_deref(), Some("30F25658"), "{:?}", verdict.doubt);
    assert_eq!(verdict.raw, "30F2565B");
}

#[test]
fn a_confident_character_is_never_overruled() {
    let seen = [doubtful("30F2565B", &[(7, '8', 0.06)])];
    let verdict = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!((verdict.text, verdict.doubt), (None, Some(Doubt::NoPlate)));
}

#[test]
fn grammar_never_puts_in_what_was_not_seen() {
    // B is uncertain, but nothing of its mass lies on 8.
    let seen = [doubtful("30F2565B", &[(7, 'H', 0.3)])];
    let verdict = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!((verdict.text, verdict.doubt), (None, Some(Doubt::NoPlate)));
}

#[test]
fn rows_and_vehicle_settle_what_the_text_leaves_open() {
    let seen = [reading("29B12345", 0.98)];
    let car = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!(car.class, Some(PlateClass::CarCivil));
    let bike = fused(VehicleClass::Motorbike, TWO_ROWS, PlateColour::White, &seen);
    assert_eq!(bike.class, Some(PlateClass::MotorbikeOld));
}

#[test]
fn malformed_short_and_weightless_readings_are_counted_not_used() {
    let mut fusion = Fusion::new(VehicleClass::Car);
    let plate = quad(ONE_ROW, PlateColour::White);
    let mut gap = reading("30F25658", 0.9);
    gap.probabilities[3] = reading("", 0.9).probabilities[3];
    fusion.add(&gap, &plate, 1.0);
    fusion.add(&reading("30F", 0.9), &plate, 1.0);
    fusion.add(&reading("30F25658", 0.9), &plate, 0.0);
    fusion.add(&reading("30F25658", 0.9), &plate, f32::NAN);
    assert_eq!((fusion.frames(), fusion.ignored()), (0, 4));
}

#[test]
fn loose_corners_alone_accuse_nobody() {
    let loose = PlateQuad { score: 0.45, ..quad(ONE_ROW, PlateColour::White) };
    let mut fusion = Fusion::new(VehicleClass::Car);
    fusion.add(&reading("30F25658", 0.99), &loose, 1.0);
    fusion.add(&reading("30F25658", 0.99), &loose, 1.0);
    let verdict = fusion.verdict();
    assert_eq!((verdict.text, verdict.doubt), (None, Some(Doubt::Corners { score: 0.45 })));
    fusion.add(&reading("30F25658", 0.99), &quad(ONE_ROW, PlateColour::White), 1.0);
    assert_eq!(fusion.verdict().text.as_deref(), Some("30F25658"));
}

#[test]
fn memory_is_bounded_and_the_best_readings_stay() {
    let mut fusion = Fusion::new(VehicleClass::Car);
    let plate = quad(ONE_ROW, PlateColour::White);
    fusion.add(&reading("30F25658", 0.99), &plate, 1.0);
    for _ in 0..200 {
        fusion.add(&reading("30F2565", 0.6), &plate, 0.01);
    }
    assert_eq!(fusion.frames(), MOST);
    assert_eq!(fusion.ignored(), 201 - MOST as u32);
    assert_eq!(fusion.verdict().text.as_deref(), Some("30F25658"));
}

#[test]
fn the_same_readings_give_the_same_verdict() {
    let seen = [reading("30F25658", 0.9), doubtful("30F25658", &[(2, 'E', 0.2)])];
    let first = fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen);
    assert_eq!(first, fused(VehicleClass::Car, ONE_ROW, PlateColour::White, &seen));
    let manifest = first.reading().unwrap();
    assert_eq!((manifest.raw.as_str(), manifest.frames, manifest.rows), ("30F25658", 2, 1));
}

#[test]
fn larger_and_sharper_counts_more() {
    let near = quad(ONE_ROW, PlateColour::White);
    let far = PlateQuad { corners: [[0.0, 0.0], [20.0, 0.0], [20.0, 10.0], [0.0, 10.0]], ..near };
    let sharp = reading("30F25658", 0.9);
    let soft = Characters { sharpness: 0.1, ..sharp.clone() };
    assert!(weight(&sharp, &near) > weight(&sharp, &far));
    assert!(weight(&sharp, &near) > weight(&soft, &near));
    assert!((0.0..=1.0).contains(&weight(&sharp, &near)));
}

#[test]
fn a_cut_or_burnt_plate_is_no_number_however_sure() {
    let whole = quad(ONE_ROW, PlateColour::White);
    let cut = PlateQuad { cut: true, ..whole };
    let sure = reading("30F25658", 0.999);
    let burnt = Characters { glare: true, ..reading("30F25659", 0.996) };
    for (characters, plate, flaw) in [(&sure, &cut, Flaw::Cut), (&burnt, &whole, Flaw::Glare)] {
        let mut fusion = Fusion::new(VehicleClass::Car);
        for _ in 0..20 {
            fusion.add(characters, plate, 1.0);
        }
        let verdict = fusion.verdict();
        assert_eq!((verdict.text, verdict.doubt), (None, Some(Doubt::Flawed(flaw))));
        assert_eq!((verdict.raw.as_str(), verdict.confidence), (&*characters.text(), 0.0));
        // Three looks at the whole plate, far weaker, and the others say nothing any more.
        for _ in 0..3 {
            fusion.add(&reading("30F25658", 0.97), &whole, 0.1);
        }
        let verdict = fusion.verdict();
        assert_eq!((verdict.text.as_deref(), verdict.frames), (Some("30F25658"), 3));
    }
    // Cut off at its end it would be a shorter number.
    let mut fusion = Fusion::new(VehicleClass::Car);
    fusion.add(&reading("30F2565", 0.999), &cut, 1.0);
    assert_eq!(fusion.verdict().text, None);
}

#[test]
fn flawed_readings_make_room_first() {
    let mut fusion = Fusion::new(VehicleClass::Car);
    let whole = quad(ONE_ROW, PlateColour::White);
    fusion.add(&reading("30F25658", 0.99), &whole, 0.05);
    for _ in 0..2 * MOST {
        fusion.add(&reading("30F25658", 0.999), &PlateQuad { cut: true, ..whole }, 1.0);
    }
    assert_eq!(fusion.verdict().text.as_deref(), Some("30F25658"));
}

#[test]
fn many_far_looks_do_not_drown_the_near_ones() {
    let near = reading("30F25658", 0.999);
    let far = doubtful("30F25658", &[(5, '8', 0.35), (7, '3', 0.4)]);
    let plate = quad(ONE_ROW, PlateColour::White);
    let mut fusion = Fusion::new(VehicleClass::Car);
    for _ in 0..8 {
        fusion.add(&near, &plate, 0.55);
    }
    for _ in 0..52 {
        fusion.add(&far, &plate, 0.3);
    }
    let verdict = fusion.verdict();
    assert_eq!(verdict.text.as_deref(), Some("30F25658"), "{verdict:?}");
    assert!(verdict.confidence > 0.98, "{}", verdict.confidence);
    // Near looks that differ are a tie, not the mean of the better half.
    let other = reading("30F25653", 0.999);
    for _ in 0..8 {
        fusion.add(&other, &plate, 0.55);
    }
    assert_eq!(fusion.verdict().text, None);
}
