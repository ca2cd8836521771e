//! Arbitrary text as a seal: only what the key really signed is accepted.
//!
//! Input: length of the payload, the payload, the seal.
#![no_main]

use contract::seal::{Purpose, SigningKey, VerifyingKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((length, rest)) = data.split_first() else { return };
    let Some((payload, seal)) = rest.split_at_checked(usize::from(*length)) else { return };
    let Ok(seal) = std::str::from_utf8(seal) else { return };
    let key = SigningKey::from_seed(&[7; 32]);
    let public = key.verifying_key();
    if public.verify_detached(Purpose::Manifest, seal, payload).is_ok() {
        assert_eq!(seal, key.sign_detached(Purpose::Manifest, payload));
    }
    if let Ok(payload) = public.verify(Purpose::Receipt, seal) {
        assert_eq!(seal, key.sign(Purpose::Receipt, &payload));
    }
    let _ = VerifyingKey::from_pem(seal);
    let _ = SigningKey::from_pem(seal);
});
