//! Pages of IoT Home: pure functions from view-models to HTML.
//!
//! Owner of how the house looks and reads. It must never see a row, an actor, a
//! request or a clock: view-models, texts and times arrive as arguments.

pub mod assets;
pub mod components;
pub mod icons;
pub mod layout;
pub mod links;
pub mod numbers;
pub mod pages;
pub mod samples;
pub mod symbols;
pub mod texts;
pub mod time;

pub use components::Look;
pub use layout::{Here, Shell, Theme, Viewer};
pub use maud::Markup;
