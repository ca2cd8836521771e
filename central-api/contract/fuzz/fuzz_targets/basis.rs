//! Arbitrary bytes as what a verdict stood on: refused, or judged again without a panic, twice alike.
#![no_main]

use judge::basis::Basis;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(basis) = Basis::parse(data) else { return };
    let verdict = basis.verdict();
    let again = Basis::parse(&basis.to_bytes()).map(|basis| basis.verdict());
    assert_eq!(again, Ok(verdict));
});
