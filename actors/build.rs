//! Tells the program when it was built: no clock that stands before that is right.

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    println!("cargo::rerun-if-changed=build.rs");
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let built = given
        .and_then(|text| text.parse::<u64>().ok())
        .or_else(|| now.ok().map(|d| d.as_secs()))
        .unwrap_or(0);
    println!("cargo::rustc-env=IOTHOME_BUILT_AT={built}");
}
