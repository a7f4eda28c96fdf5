//! The forms of controls: one command each.
//!
//! Owner of turning a form into an ask, and of what the browser sees next. Without
//! script it waits a moment for the end, so that the next page can tell it.

use super::error::wants_fragment;
use super::home;
use super::show::{self, Dearness, Reading};
use super::visit::{Visit, device_of, entity_of, no_device, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::problem::{Answer, Problem};
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::Asked;
use iothome_engine::command::{Ask, Cause};
use iothome_engine::ids::{DeviceId, EntityId, EntityRef};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::Right;
use iothome_views::components::Look;
use iothome_views::links::Back;
use iothome_views::pages::device;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a browser without script waits for the end: most devices confirm in
/// milliseconds, and a person does not mind a second.
const WAIT: Duration = Duration::from_millis(1_200);

/// A control's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandForm {
    action: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    back: String,
}

/// Asks the entity to do it.
pub(crate) async fn submit(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    form: Form<CommandForm>,
) -> Answer {
    let (device, entity) = path.into_inner();
    let device = device_of(&app, &user, &device, Right::Control)?;
    let entity = entity_of(&entity)?;
    let _permit = app.hub.sessions().permit(user.session).await?;
    let back = Back::from_field(&form.0.back, &device);
    let asked = ask(&app, &user, &device, &entity, form.0).await?;
    if wants_fragment(&request) {
        return fragment(&app, &user, &device, &back).await;
    }
    if let Some(ended) = asked.ended {
        // Too late or gone: the page shows how far it came.
        let _ = tokio::time::timeout(WAIT, ended).await;
    }
    Ok(see_other(&back.address(&device, &entity)))
}

async fn ask(
    app: &web::Data<App>,
    user: &CurrentUser,
    device: &DeviceId,
    entity: &EntityId,
    form: CommandForm,
) -> Answer<Asked> {
    let action: Action =
        form.action
            .parse()
            .map_err(|error: iothome_engine::kind::UnknownWord| {
                Problem::invalid("action", error.to_string())
            })?;
    let view = app.hub.house().device(device).ok_or_else(no_device)?;
    let kind = view.entity(entity).ok_or_else(no_device)?.kind;
    let value = match action {
        Action::Set => Some(value(kind, form.value.as_deref().unwrap_or_default())?),
        _ => None,
    };
    let ask = Ask {
        id: app.new_command_id()?,
        target: EntityRef {
            device: device.clone(),
            entity: entity.clone(),
        },
        action,
        value,
        cause: Cause::User {
            user: user.subject.user,
            name: user.subject.name.clone(),
            session: user.session,
        },
        idempotency: None,
    };
    Ok(app.hub.ask(ask).await?)
}

/// What the field's text means to this kind; whether it fits is the engine's to say.
fn value(kind: Kind, text: &str) -> Answer<Value> {
    if kind == Kind::Select {
        return Ok(Value::String(text.to_owned()));
    }
    let number: f64 = text
        .trim()
        .replace(',', ".")
        .parse()
        .map_err(|_| Problem::invalid("value", "a number is needed"))?;
    let number = iothome_engine::value::Finite::new(number)
        .ok_or_else(|| Problem::invalid("value", "a finite number is needed"))?;
    let number = iothome_engine::value::json_number(number.get());
    Ok(match kind {
        Kind::Light => json!({ "brightness": number }),
        _ => number,
    })
}

/// What the script swaps in: the device as it is now.
async fn fragment(
    app: &web::Data<App>,
    user: &CurrentUser,
    id: &DeviceId,
    back: &Back,
) -> Answer<HttpResponse> {
    let visit = Visit::of(app, user).await?;
    let view = app.hub.house().device(id).ok_or_else(no_device)?;
    let reading = Reading {
        t: visit.t,
        zone: &visit.zone,
        now: visit.now,
        rights: user.subject.rights(id),
    };
    let dear = home::dearness(app, user, back, id).await?;
    let look = Look {
        t: visit.t,
        csrf: &visit.viewer.csrf,
        back,
    };
    Ok(page(match back {
        Back::Home | Back::Found(_) => show::card(reading, &view, dear).draw(look),
        Back::Device(_) => device::panel(look, &show::panel(reading, &view, dear != Dearness::No)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_its_kind_needs() {
        let read = |kind, text| value(kind, text).ok();
        assert_eq!(read(Kind::Light, "40"), Some(json!({"brightness": 40})));
        assert_eq!(read(Kind::Number, " 20,5 "), Some(json!(20.5)));
        assert_eq!(read(Kind::Cover, "100"), Some(json!(100)));
        assert_eq!(read(Kind::Select, "40"), Some(json!("40")));
    }

    #[test]
    fn what_is_no_finite_number_is_refused_and_the_field_named() {
        for bad in ["", "warm", "NaN", "inf", "1e999"] {
            let problem = value(Kind::Number, bad).expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("value"), "{bad}");
        }
    }
}
