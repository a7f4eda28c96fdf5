//! Pages of IoT Home: pure functions from view-models to HTML.
