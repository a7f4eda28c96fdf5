//! What the signed-in user arranges for themselves: favourites, language, theme.
//!
//! Owner of how these travel over REST. It must never tell of a device that the
//! user may not see, however it came among the favourites.

use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, present};
use crate::problem::{Answer, Problem};
use actix_web::{HttpResponse, web};
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::Right;
use iothome_store::{Preferences, Theme};
use iothome_views::texts;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;

/// One's favourites, in order.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Favourites {
    /// Ids of devices, at most 60, the dearest first.
    #[schema(value_type = Vec<String>, example = json!(["fridge", "lamp"]))]
    devices: Vec<String>,
}

/// How one's pages are shown; null is "as the browser says".
#[derive(Serialize, ToSchema)]
#[schema(as = Preferences)]
pub(crate) struct PreferencesBody {
    /// `en` or `de`.
    language: Option<String>,
    /// `light` or `dark`.
    theme: Option<&'static str>,
}

/// Changes of preferences (RFC 7396).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreferencesChange {
    /// `en`, `de`, or null.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<String>>,
    /// `light`, `dark`, or null.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    theme: Option<Option<String>>,
}

/// Your favourites, in order.
#[utoipa::path(get, path = "/api/v1/me/favourites", tag = "me", responses((status = 200, body = Favourites)))]
pub(crate) async fn favourites(app: web::Data<App>, user: CurrentUser) -> Answer {
    let all = app.store.favourites(user.subject.user).await?;
    let seen = all.iter().filter(|id| user.subject.may(Right::View, id));
    Ok(HttpResponse::Ok().json(Favourites {
        devices: seen.map(ToString::to_string).collect(),
    }))
}

/// Sets your favourites, in this order, in place of all others.
#[utoipa::path(put, path = "/api/v1/me/favourites", tag = "me", request_body = Favourites,
    responses((status = 200, body = Favourites), (status = 409, description = "Too many"), (status = 422)))]
pub(crate) async fn set_favourites(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<Favourites>,
) -> Answer {
    let mut seen = HashSet::new();
    let mut devices = Vec::new();
    for (n, text) in body.value.devices.iter().enumerate() {
        let field = format!("devices[{n}]");
        let id: Option<DeviceId> = text.parse().ok();
        let known = id
            .filter(|id| app.hub.house().device(id).is_some() && user.subject.may(Right::View, id));
        let id = known.ok_or_else(|| Problem::invalid(&field, "there is no such device"))?;
        if !seen.insert(id.clone()) {
            return Err(Problem::invalid(field, "is named twice"));
        }
        devices.push(id);
    }
    let me = user.subject.user;
    app.hub.set_favourites(me, &devices).await?;
    favourites(app, user).await
}

/// Your language and theme.
#[utoipa::path(get, path = "/api/v1/me/preferences", tag = "me", responses((status = 200, body = PreferencesBody)))]
pub(crate) async fn preferences(app: web::Data<App>, user: CurrentUser) -> Answer {
    let kept = app.store.preferences(user.subject.user).await?;
    Ok(HttpResponse::Ok().json(PreferencesBody {
        language: kept.language,
        theme: kept.theme.map(Theme::as_str),
    }))
}

/// Changes your language or theme.
#[utoipa::path(patch, path = "/api/v1/me/preferences", tag = "me",
    request_body(content = PreferencesChange, content_type = "application/merge-patch+json"),
    responses((status = 200, body = PreferencesBody), (status = 422)))]
pub(crate) async fn set_preferences(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<PreferencesChange>,
) -> Answer {
    let me = user.subject.user;
    let kept = app.store.preferences(me).await?;
    let wanted = Preferences {
        language: match body.value.language {
            Some(chosen) => chosen.map(|tag| language(&tag)).transpose()?,
            None => kept.language,
        },
        theme: match body.value.theme {
            Some(chosen) => chosen.map(|word| theme(&word)).transpose()?,
            None => kept.theme,
        },
    };
    app.store.set_preferences(me, &wanted).await?;
    preferences(app, user).await
}

fn language(tag: &str) -> Answer<String> {
    let known = texts::LANGUAGES.iter().find(|t| t.lang == tag);
    known.map(|t| t.lang.to_owned()).ok_or_else(|| {
        let all: Vec<&str> = texts::LANGUAGES.iter().map(|t| t.lang).collect();
        Problem::invalid("language", format!("is one of {}, or null", all.join(", ")))
    })
}

fn theme(word: &str) -> Answer<Theme> {
    Theme::from_word(word).ok_or_else(|| Problem::invalid("theme", "is `light`, `dark`, or null"))
}
