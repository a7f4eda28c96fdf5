//! One actor per session.
