//! What every request passes before and after its route.
//!
//! Owner of the checks that hold for all routes: which peer speaks, which host
//! was asked for, where the request came from, which headers go out. It must
//! never know a route or a user.

pub(crate) mod client;
pub(crate) mod headers;
pub(crate) mod limits;
pub(crate) mod origin;
pub(crate) mod pass;
pub(crate) mod place;
pub(crate) mod span;
