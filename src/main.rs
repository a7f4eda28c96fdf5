//! The IoT Home program.
fn main() {}
