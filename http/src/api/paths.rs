//! Ids from paths and the policy's answer to them.
//!
//! Owner of the rule that what a user may not see does not exist for them (404),
//! and that a malformed id is just an id that nothing has.

use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::{Answer, Problem};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::policy::{Decision, Right};
use iothome_engine::view::{DeviceView, EntityView};
use std::str::FromStr;
use std::sync::Arc;

/// An id of a path; 404 if it cannot be one.
pub(crate) fn id<T: FromStr>(text: &str, what: &str) -> Answer<T> {
    text.parse()
        .map_err(|_| Problem::not_found(format!("there is no such {what}")))
}

fn no_device() -> Problem {
    Problem::not_found("there is no such device")
}

/// The device, if the user has the right: 404 if it is hidden from them, 403 if only the right lacks.
pub(crate) fn device(
    app: &App,
    user: &CurrentUser,
    text: &str,
    right: Right,
) -> Answer<Arc<DeviceView>> {
    let id: DeviceId = text.parse().map_err(|_| no_device())?;
    match user.subject.decide(right, &id) {
        Decision::Hidden => return Err(no_device()),
        Decision::Allowed => {}
        // The grant may outlive the device by a moment.
        Decision::Denied if app.hub.house().device(&id).is_none() => return Err(no_device()),
        Decision::Denied => {
            return Err(Problem::forbidden(format!(
                "you may see this device, but this needs the right `{}`",
                right.as_str()
            )));
        }
    }
    app.hub.house().device(&id).ok_or_else(no_device)
}

/// The entity of a device.
pub(crate) fn entity<'a>(device: &'a DeviceView, text: &str) -> Answer<&'a EntityView> {
    text.parse::<EntityId>()
        .ok()
        .and_then(|id| device.entity(&id))
        .ok_or_else(|| Problem::not_found("the device has no such entity"))
}

/// A `limit` within its bounds.
pub(crate) fn limit(asked: Option<usize>, default: usize, max: usize) -> Answer<usize> {
    match asked {
        None => Ok(default),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::bad_request(format!("limit is from 1 to {max}")).field("limit")),
    }
}
