//! Tests of the schedule types and their calculus.

#![allow(clippy::unwrap_used)]

mod read;
