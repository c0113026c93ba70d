//! The reader of checkpoints: whatever the bytes, it ends with what they hold or with what is wrong with them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match secant::checkpoint::Contents::from_bytes(bytes) {
        Ok(contents) => _ = contents.fingerprint(),
        Err(damage) => assert!(damage.to_string().len() < 400),
    }
});
