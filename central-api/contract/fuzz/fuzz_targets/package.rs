//! A sealed package with arbitrary edits: whatever differs is found and named, nothing else is.
//!
//! Input: three bytes an edit: which file, which byte, which bits to flip.
#![no_main]

use std::collections::BTreeSet;

use contract::manifest::File;
use contract::package::{self, MANIFEST_FILE, SEAL_FILE};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/sample.rs"]
mod sample;

fuzz_target!(|data: &[u8]| {
    let original = sample::package(1, None);
    let mut files = original.files.clone();
    files.insert(MANIFEST_FILE.into(), original.manifest.clone());
    files.insert(SEAL_FILE.into(), original.seal.clone().into_bytes());
    let whole = files.clone();
    for edit in data.chunks_exact(3).take(64) {
        let index = usize::from(edit[0]) % files.len();
        let content = files.values_mut().nth(index).expect("within the number of files");
        // A prime step reaches every byte of the longer files.
        let at = usize::from(edit[1]) * 37 % content.len();
        content[at] ^= edit[2];
    }
    let changed: BTreeSet<&str> =
        whole.iter().filter(|(name, was)| files[*name] != **was).map(|(name, _)| &**name).collect();

    let Ok(seal) = std::str::from_utf8(&files[SEAL_FILE]) else { return };
    let read = |entry: &File| files.get(&entry.name).cloned();
    let public = sample::key().verifying_key();
    let failures = package::verify(&public, &files[MANIFEST_FILE], seal, read);
    let named: BTreeSet<&str> = failures.iter().map(|failure| failure.file()).collect();
    if changed.contains(MANIFEST_FILE) || changed.contains(SEAL_FILE) {
        // The seal covers the manifest: one of the two is named and no other file is believed.
        assert_eq!(named.len(), 1);
        assert!(named.is_subset(&BTreeSet::from([MANIFEST_FILE, SEAL_FILE])));
        // A seal changed in several places, header and signature, cannot be told from a manifest
        // that is not the sealed one.
        let differ = |(now, was): (&u8, &u8)| now != was;
        let places =
            files[SEAL_FILE].iter().zip(&whole[SEAL_FILE]).filter(|pair| differ(*pair)).count();
        assert!(named.is_subset(&changed) || places > 1, "{named:?} named, {changed:?} changed");
    } else {
        assert_eq!(named, changed);
    }
});
