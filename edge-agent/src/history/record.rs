//! What the history holds: who drove where and what each rule said, and how the cameras were. No
//! plates and no pictures. Depends on nothing else here: the fuzzer reads it, too.

use std::collections::BTreeMap;

use contract::VehicleClass;
use contract::manifest::ClockSource;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Milliseconds since 1970, UTC.
pub type Millis = i64;

/// One line of a segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Track(Followed),
    State(State),
    /// The agent was started: what was before ended without a word.
    Started {
        at: Millis,
        version: String,
    },
    /// So many records are not here.
    Missed {
        from: Millis,
        to: Millis,
        records: u64,
        why: String,
    },
}

/// One vehicle's way through the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    pub camera: String,
    /// Counts on while the agent runs.
    pub track: u64,
    pub class: VehicleClass,
    /// Capture times.
    pub begin: Millis,
    pub end: Millis,
    pub clock: ClockSource,
    /// How far camera and box are apart, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_ms: Option<i64>,
    /// Sightings, and the share of them, in percent, that were clear.
    pub seen: u32,
    pub clear: u8,
    /// Where it touched the road.
    pub path: Vec<Place>,
    /// By rule.
    pub said: BTreeMap<String, Word>,
}

/// A time, milliseconds after the track's begin, and a place, thousandths of the picture's width and
/// height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(pub u32, pub u16, pub u16);

impl Place {
    /// 0 to 1 of the picture.
    pub fn point(self) -> [f64; 2] {
        [f64::from(self.1) / 1000.0, f64::from(self.2) / 1000.0]
    }
}

/// The last word of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Nothing to accuse: the kind of lawful.
    Lawful(String),
    /// Nothing can be said: the kind of doubt.
    Doubt(String),
    Accused {
        act: String,
        at: Millis,
        reason: String,
        evidence: Uuid,
    },
}

/// How a camera was, from `at` until the next such record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub camera: String,
    /// By the box's clock.
    pub at: Millis,
    pub state: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::frame::{Line, Lines, framed};

    fn word() -> impl Strategy<Value = Word> {
        prop_oneof![
            "[a-z_]{1,20}".prop_map(Word::Lawful),
            "[a-z_]{1,20}".prop_map(Word::Doubt),
            ("[a-z_]{1,20}", any::<Millis>(), "\\PC{0,80}", any::<u128>()).prop_map(
                |(act, at, reason, id)| {
                    Word::Accused { act, at, reason, evidence: Uuid::from_u128(id) }
                }
            ),
        ]
    }

    fn followed() -> impl Strategy<Value = Record> {
        let sources = [ClockSource::Rtcp, ClockSource::Arrival, ClockSource::Unknown];
        let path = prop::collection::vec((any::<u32>(), 0..=1000u16, 0..=1000u16), 0..24);
        let said = prop::collection::btree_map("[a-z_]{1,20}", word(), 0..16);
        let times = (any::<Millis>(), any::<Millis>(), any::<Option<i64>>());
        (times, 0..3usize, 0..4usize, any::<(u64, u32, u8)>(), path, said, "\\PC{1,64}").prop_map(
            move |(
                (begin, end, offset_ms),
                clock,
                class,
                (track, seen, clear),
                path,
                said,
                camera,
            )| {
                Record::Track(Followed {
                    camera,
                    track,
                    class: VehicleClass::ALL[class],
                    begin,
                    end,
                    clock: sources[clock],
                    offset_ms,
                    seen,
                    clear,
                    path: path.into_iter().map(|(t, x, y)| Place(t, x, y)).collect(),
                    said,
                })
            },
        )
    }

    fn any_record() -> impl Strategy<Value = Record> {
        let words = || "\\PC{0,80}";
        prop_oneof![
            followed(),
            (words(), any::<Millis>(), words(), words()).prop_map(|(camera, at, state, detail)| {
                Record::State(State { camera, at, state, detail })
            }),
            (any::<Millis>(), words()).prop_map(|(at, version)| Record::Started { at, version }),
            (any::<Millis>(), any::<Millis>(), any::<u64>(), words())
                .prop_map(|(from, to, records, why)| Record::Missed { from, to, records, why }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(records in prop::collection::vec(any_record(), 0..6)) {
            let text = |record| serde_json::to_string(record).unwrap();
            let segment: Vec<u8> =
                records.iter().flat_map(|record| framed(&text(record)).unwrap()).collect();
            let read: Vec<Record> = Lines::new(&segment[..])
                .map(|line| match line.unwrap() {
                    Line::Whole(text) => serde_json::from_str(&text).unwrap(),
                    line => panic!("{line:?}"),
                })
                .collect();
            prop_assert_eq!(read, records);
        }
    }
}
