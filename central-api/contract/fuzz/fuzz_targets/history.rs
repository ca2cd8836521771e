//! Arbitrary bytes as a segment of the agent's history: read to its end within bounds, and every record
//! that is whole is the same when it is written and read again.
#![no_main]

// The agent itself links cameras and networks; what reads its segments needs neither.
#[path = "../../../../edge-agent/src/history/frame.rs"]
mod frame;
#[path = "../../../../edge-agent/src/history/record.rs"]
#[allow(dead_code)]
mod record;

use std::io::BufReader;

use frame::{LONGEST, Line, Lines, framed};
use libfuzzer_sys::fuzz_target;
use record::Record;

fuzz_target!(|data: &[u8]| {
    read(data);
    // Digests are not to be guessed: the same as the text of one good line.
    if let Some(line) = std::str::from_utf8(data).ok().and_then(framed) {
        assert!(read(&line) == 1);
    }
});

/// Reads a segment; says how many lines of it are whole.
fn read(segment: &[u8]) -> usize {
    let mut whole = 0;
    for line in Lines::new(BufReader::with_capacity(64, segment)) {
        let Ok(Line::Whole(text)) = line else { continue };
        assert!(text.len() < LONGEST);
        whole += 1;
        if let Ok(record) = serde_json::from_str::<Record>(&text) {
            let again = serde_json::to_string(&record).ok().and_then(|text| framed(&text));
            let again = again.map(|line| {
                let read = Lines::new(&line[..]).next();
                let Some(Ok(Line::Whole(text))) = read else { panic!("not read again") };
                serde_json::from_str::<Record>(&text).ok()
            });
            assert_eq!(again, Some(Some(record)));
        }
    }
    whole
}
