//! The device's chain shows what was removed, sent again or put in another's place.

use contract::chain::{ChainError, Head};
use contract::{Digest, Manifest};

use crate::sample::manifest;

/// Manifests 1 to `count`, each naming the one before.
fn chain(count: u64) -> Vec<(Manifest, Vec<u8>)> {
    let mut previous = None;
    let link = |sequence| {
        let manifest = manifest(sequence, previous);
        let bytes = manifest.to_bytes();
        previous = Some(Digest::of(&bytes));
        (manifest, bytes)
    };
    (1..=count).map(link).collect()
}

fn follow<'a>(
    links: impl IntoIterator<Item = &'a (Manifest, Vec<u8>)>,
) -> Result<Head, ChainError> {
    links
        .into_iter()
        .try_fold(Head::default(), |head, (manifest, bytes)| head.advance(manifest, bytes))
}

#[test]
fn a_whole_chain_holds() {
    let links = chain(5);
    let last = Digest::of(&links[4].1);
    assert_eq!(follow(&links), Ok(Head { sequence: 5, digest: Some(last) }));
}

#[test]
fn any_one_missing_link_is_a_gap() {
    let links = chain(5);
    for missing in 0..4 {
        let kept = links.iter().enumerate().filter(|(i, _)| *i != missing).map(|(_, link)| link);
        let expected = missing as u64 + 1;
        assert_eq!(follow(kept), Err(ChainError::Gap { expected, found: expected + 1 }));
    }
}

#[test]
fn any_link_sent_again_is_a_repeat() {
    let links = chain(4);
    for (index, again) in links.iter().enumerate() {
        let found = index as u64 + 1;
        let result = follow(links.iter().chain([again]));
        assert_eq!(result, Err(ChainError::Repeated { expected: 5, found }));
    }
}

#[test]
fn a_replaced_link_is_told_by_its_successor() {
    let mut links = chain(3);
    links[1].0.violation.track += 1;
    links[1].1 = links[1].0.to_bytes();
    assert_eq!(follow(&links), Err(ChainError::Predecessor { sequence: 3 }));
    links.truncate(1);
    links.push((manifest(2, None), Vec::new()));
    assert_eq!(follow(&links), Err(ChainError::Predecessor { sequence: 2 }));
}

#[test]
fn nothing_follows_the_last_sequence_number() {
    let head = Head { sequence: u64::MAX, digest: None };
    let again = manifest(u64::MAX, None);
    let refusal = ChainError::Repeated { expected: u64::MAX, found: u64::MAX };
    assert_eq!(head.advance(&again, b""), Err(refusal));
}
