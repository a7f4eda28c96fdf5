//! Who asks: tokens, cookies, form tokens, throttles and the gate before every route.
//!
//! Owner of authentication at the web door. What a user may do is decided by
//! the engine's policy and by the session's authority, never here.

pub(crate) mod cookies;
pub(crate) mod csrf;
pub(crate) mod extract;
pub(crate) mod gate;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod throttle;

pub(crate) use extract::CurrentUser;
