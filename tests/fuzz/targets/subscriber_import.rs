#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| gazetted_fuzz::hold("subscriber_import", data));
