//! The decrees' figures against a second table, typed apart from the law files: act, provision,
//! bracket in millions of đồng, points. A slip of the hand would have to be made twice.

use central_api::law::{self, Deadline, Kind, LawBook, Term};
use time::macros::datetime;

const CAR: &str = "
    red_light 6.9.b 18 20 4 | wrong_way 6.9.d 18 20 4 | expressway_wrong_way 6.11.đ 30 40 10
    stop_line 6.1.a 0.4 0.6 0 | solid_line 6.1.a 0.4 0.6 0
    lane_change 6.2.a 0.6 0.8 0 | expressway_lane_change 6.5.g 4 6 2 | wrong_lane 6.5.b 4 6 2
    speed_5_10 6.3.a 0.8 1 0 | speed_10_20 6.5.đ 4 6 2 | speed_20_35 6.6.a 6 8 4
    speed_35 6.7.a 12 14 6 | below_minimum_speed 6.3.o 0.8 1 0
    phone 6.5.h 4 6 4 | seat_belt_driver 6.3.k 0.8 1 0 | seat_belt_passenger 6.3.l 0.8 1 0
    prohibited_road 6.5.i 4 6 2 | no_turn 6.4.k 2 3 0 | no_u_turn 6.4.k 2 3 0
    overtaking 6.5.a 4 6 2 | expressway_emergency_lane 6.5.d 4 6 2 | expressway_stop 6.7.c 12 14 6
    pavement 6.6.d 6 8 4 | pedestrian_turning 6.5.l 4 6 0
    plate_none 13.7.b 10 12 6 | plate_incomplete 13.8.b 20 26 6 | plate_hidden 13.8.b 20 26 6
    plate_fake 13.8.a 20 26 10
    stop_roadside 6.2.d 0.6 0.8 0 | stop_place 6.2.đ 0.6 0.8 0 | park_railway 6.3.d 0.8 1 0 | park_junction 6.3.đ 0.8 1 0
    park_place 6.3.e 0.8 1 0 | stop_one_way_left 6.4.b 2 3 2 | stop_tunnel 6.4.đ 2 3 2
    stop_jam 6.5.k 4 6 2 | u_turn_place 6.4.i 2 3 0 | reversing 6.4.e 2 3 0 | no_signal 6.3.c 0.8 1 0
    yield_oncoming 6.5.m 4 6 0 | yield_side_road 6.5.n 4 6 2 | yield_roundabout 6.5.o 4 6 2
    yield_junction 6.2.c 0.6 0.8 0 | yield_priority 6.6.b 6 8 4 | traffic_officer 6.9.c 18 20 4
    slow_not_right 6.3.p 0.8 1 0 | lights 6.3.g 0.8 1 0 | etc_lane 6.4.a 2 3 2
    distance 6.4.l 2 3 0 | expressway_small_vehicle 6.7.b 12 14 4 | crash 6.10 20 22 10
    u_turn_tunnel 6.4.đ 2 3 2
    owner_plate_none 32.12.b 16 18 6 | owner_plate_fake 32.13.d 20 26 10
    owner_not_registered 32.7.h 4 6 0";

const MOTORBIKE: &str = "
    red_light 7.7.c 4 6 4 | wrong_way 7.7.a 4 6 2 | pavement 7.7.a 4 6 2
    expressway_entering 7.7.b 4 6 6
    stop_line 7.1.a 0.2 0.4 0 | solid_line 7.1.a 0.2 0.4 0 | lane_change 7.1.e 0.2 0.4 0
    wrong_lane 7.3.d 0.6 0.8 0 | prohibited_road 7.6.b 2 3 2
    helmet_rider 7.2.h 0.4 0.6 0 | helmet_passenger 7.2.i 0.4 0.6 0
    passengers_2 7.2.g 0.4 0.6 0 | passengers_3 7.3.b 0.6 0.8 2 | phone 7.4.đ 0.8 1 4
    speed_5_10 7.2.b 0.4 0.6 0 | speed_10_20 7.4.a 0.8 1 0 | speed_20 7.8.a 6 8 4
    overtaking 7.4.c 0.8 1 0 | overtaking_right 7.3.đ 0.6 0.8 0
    no_u_turn 7.2.k 0.4 0.6 0 | no_turn 7.3.a 0.6 0.8 0
    plate_none 14.3.a 4 6 6 | plate_fake 14.3.a 4 6 6 | plate_hidden 14.3.b 4 6 6
    below_minimum_speed 7.1.k 0.2 0.4 0 | slow_not_right 7.2.c 0.4 0.6 0
    yield_junction 7.1.đ 0.2 0.4 0 | no_signal 7.3.a 0.6 0.8 0 | distance 7.3.i 0.6 0.8 0
    lights 7.1.g 0.2 0.4 0 | stop_roadside 7.2.a 0.4 0.6 0 | park_roadway 7.2.d 0.4 0.6 0
    stop_place 7.2.e 0.4 0.6 0 | park_place 7.2.e 0.4 0.6 0 | park_junction 7.2.e 0.4 0.6 0
    park_railway 7.2.e 0.4 0.6 0 | stop_bridge 7.3.c 0.6 0.8 0 | stop_tunnel 7.4.b 0.8 1 0
    u_turn_tunnel 7.4.d 0.8 1 0 | pedestrian_turning 7.5.b 1 2 2 | yield_oncoming 7.5.c 1 2 2 | yield_side_road 7.6.c 2 3 2 | yield_roundabout 7.6.d 2 3 2
    traffic_officer 7.7.d 4 6 4 | yield_priority 7.7.đ 4 6 4 | crash 7.10 10 14 10
    owner_plate_none 32.8.h 4 6 6 | owner_plate_fake 32.8.h 4 6 6
    owner_not_registered 32.3.a 0.8 1 0";

/// What the texts of 238/2026 add, by act and vehicle.
const ADDED: [(&str, Kind, &str); 8] = [
    ("plate_hidden", Kind::Car, "không nhận dạng được"),
    ("plate_hidden", Kind::Motorbike, "không nhận dạng được"),
    ("lane_change", Kind::Car, "khoảng cách an toàn"),
    ("lane_change", Kind::Motorbike, "khoảng cách an toàn"),
    ("expressway_lane_change", Kind::Car, "khoảng cách an toàn"),
    ("prohibited_road", Kind::Car, "cơ quan có thẩm quyền cấm"),
    ("prohibited_road", Kind::Motorbike, "cơ quan có thẩm quyền cấm"),
    ("expressway_stop", Kind::Car, "làn dừng xe khẩn cấp"),
];

#[test]
fn every_act_costs_the_same_in_both_tables_before_and_after_the_amendment() {
    let book = law::book().unwrap();
    let dates = [datetime!(2025-01-01 0:00 +7), datetime!(2026-08-15 0:00 +7)];
    let mut rows = 0;
    for (on, table) in [(Kind::Car, CAR), (Kind::Motorbike, MOTORBIKE)] {
        for row in table.split(['|', '\n']).map(str::trim).filter(|row| !row.is_empty()) {
            let fields: Vec<&str> = row.split_whitespace().collect();
            let [act, place, min, max, points] = fields[..] else { panic!("{row}") };
            rows += 1;
            for at in dates {
                let found = book.find(act, on, at).unwrap();
                let point = found.point.iter().map(|point| format!(".{point}")).collect::<String>();
                assert_eq!(format!("{}.{}{point}", found.article, found.clause), place, "{row}");
                let dong = |millions: &str| (millions.parse::<f64>().unwrap() * 1e6).round() as i64;
                assert_eq!([found.fine_min, found.fine_max], [dong(min), dong(max)], "{row} {at}");
                assert_eq!(found.points.to_string(), points, "{row} {at}");
            }
            let changed = dates.map(|at| book.find(act, on, at).unwrap().text);
            let added = ADDED.iter().find(|(name, kind, _)| *name == act && *kind == on);
            match added {
                Some((.., words)) => {
                    assert!(!changed[0].contains(words) && changed[1].contains(words), "{row}");
                }
                None => assert_eq!(changed[0], changed[1], "{row}"),
            }
        }
    }
    let file = include_str!("../../law/decree-168-2024.toml");
    assert_eq!(rows, file.matches("[[provision]]").count(), "no provision is in one table alone");
}

/// Terms by name: count and unit.
const TERMS: &str = "
    notice 10 Days | record 3 WorkingDays | no_show 20 Days | hearing_request 2 WorkingDays
    written_explanation 5 WorkingDays | decision 7 WorkingDays | decision_transferred 10 WorkingDays
    decision_explained 1 Months | decision_complex 2 Months | decision_sent 3 WorkingDays
    decision_corrected 1 Years | execution 1 Years | pay 10 Days | complaint 90 Days
    lawsuit 1 Years | limitation 1 Years
    served_returned 3 WorkingDays | served_electronic 3 WorkingDays | served_posted 7 WorkingDays
    send_again 3 WorkingDays | post_answer 15 Days";

#[test]
fn every_term_is_the_same_in_both_tables() {
    let book = law::book().unwrap();
    let mut rows = 0;
    for row in TERMS.split(['|', '\n']).map(str::trim).filter(|row| !row.is_empty()) {
        let fields: Vec<&str> = row.split_whitespace().collect();
        let [name, count, unit] = fields[..] else { panic!("{row}") };
        let term = serde_json::from_value(name.into()).unwrap();
        let Deadline { count: found, unit: in_units, .. } = book.deadline(term);
        assert_eq!(
            (found.to_string(), format!("{in_units:?}")),
            (count.into(), unit.into()),
            "{name}"
        );
        rows += 1;
    }
    assert_eq!(rows, Term::ALL.len(), "no term is in one table alone");
}

const PROCEDURE: &str = include_str!("../../law/procedure.toml");
const CALENDAR: &str = include_str!("../../law/calendar.toml");

/// Who signs by the table of each date: a bracket's maximum in millions, then the lowest office for
/// it without points, and with. 6.2.d is on the list of the communes' police, 6.9.a is not.
const SIGNERS: &[(&str, &str, &str, &str, &str)] = &[
    ("2025-01-01", "6.9.a", "0.5", "officer", "division"),
    ("2025-01-01", "6.9.a", "1.5", "team", "division"),
    ("2025-01-01", "6.2.d", "2.5", "commune", "division"),
    ("2025-01-01", "6.9.a", "2.5", "division", "division"),
    ("2025-01-01", "6.9.a", "15", "division", "division"),
    ("2025-01-01", "6.9.a", "37.5", "director", "director"),
    ("2025-01-01", "6.9.a", "75", "department", "department"),
    ("2025-07-01", "6.9.a", "7.5", "officer", "division"),
    ("2025-07-01", "6.9.a", "22.5", "team", "division"),
    ("2025-07-01", "6.2.d", "37.5", "commune", "division"),
    ("2025-07-01", "6.9.a", "37.5", "chairman", "division"),
    ("2025-07-01", "6.9.a", "60", "division", "division"),
    ("2025-07-01", "6.9.a", "75", "directors", "directors"),
    ("2026-08-15", "6.9.a", "7.5", "officer", "team"),
    ("2026-08-15", "6.9.a", "22.5", "team", "team"),
    ("2026-08-15", "6.2.d", "37.5", "commune", "commune"),
    ("2026-08-15", "6.9.a", "37.5", "chairman", "division"),
    ("2026-08-15", "6.9.a", "60", "division", "division"),
    ("2026-08-15", "6.9.a", "75", "directors", "directors"),
];

const OFFICES: [(&str, &str); 8] = [
    ("officer", "Chiến sĩ Cảnh sát giao thông"),
    ("team", "Đội trưởng, Trạm trưởng"),
    ("commune", "Trưởng Công an cấp xã"),
    ("chairman", "Chủ tịch Ủy ban nhân dân cấp xã"),
    ("division", "Trưởng phòng Cảnh sát giao thông"),
    ("director", "Giám đốc Công an cấp tỉnh"),
    ("department", "Cục trưởng Cục Cảnh sát giao thông"),
    ("directors", "Giám đốc Công an cấp tỉnh, Cục trưởng Cục Cảnh sát giao thông"),
];

/// Another law: brackets that end where an office's power does.
fn brackets() -> LawBook {
    let mut decree = String::from(
        "number = \"1/2025/NĐ-CP\"\ntitle = \"Bảng thử\"\neffective = \"2025-01-01\"\n\
         source = \"tests\"\n",
    );
    for (index, (_, place, millions, ..)) in SIGNERS.iter().enumerate() {
        let parts: Vec<&str> = place.split('.').collect();
        let most = (millions.parse::<f64>().unwrap() * 1e6) as i64;
        for points in [0, 2] {
            decree.push_str(&format!(
                "[[provision]]\nact = \"row_{index}_{points}\"\non = \"car\"\narticle = {}\n\
                 clause = {}\npoint = \"{}\"\nfine = [1, {most}]\npoints = {points}\n\
                 text = \"Thử\"\n",
                parts[0], parts[1], parts[2]
            ));
        }
    }
    let procedure = ("procedure.toml", PROCEDURE);
    LawBook::read(&[("decree.toml", &decree)], procedure, ("calendar.toml", CALENDAR)).unwrap()
}

#[test]
fn every_office_signs_up_to_the_same_amount_in_both_tables() {
    let book = brackets();
    for (index, (from, _, millions, without, with)) in SIGNERS.iter().enumerate() {
        let day = time::macros::format_description!("[year]-[month]-[day]");
        let day = time::Date::parse(from, day).unwrap();
        let at = day.midnight().assume_offset(law::VIETNAM);
        for (points, office) in [(0, without), (2, with)] {
            let found = book.find(&format!("row_{index}_{points}"), Kind::Car, at).unwrap().signer;
            let title = OFFICES.iter().find(|(name, _)| name == office).unwrap().1;
            assert_eq!(found, title, "{from}, {millions} million, {points} points");
        }
    }
}
