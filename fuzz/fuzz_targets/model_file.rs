#![no_main]

#[allow(dead_code, reason = "its seeds are of another program")]
#[path = "../src/model_file.rs"]
mod model_file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| model_file::model_file(bytes));
