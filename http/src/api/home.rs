//! The home: its name, time zone and place.
//!
//! Owner of what a home may be called and where it may lie, for set-up, REST and
//! the settings page alike.

use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, present};
use crate::problem::{Answer, Problem};
use actix_web::{HttpResponse, web};
use iothome_store::Home;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest name of a home.
pub(crate) const NAME_MAX: usize = 64;

/// The home.
#[derive(Serialize, ToSchema)]
#[schema(as = Home)]
pub(crate) struct HomeBody {
    /// What the household calls it.
    name: String,
    /// Its time zone, an IANA name.
    #[schema(example = "Europe/Berlin")]
    zone: String,
    /// Degrees north; null if nobody said where it is.
    latitude: Option<f64>,
    /// Degrees east.
    longitude: Option<f64>,
}

/// Changes of the home (RFC 7396).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HomeChange {
    /// A new name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    /// A new time zone.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false, example = "Europe/Berlin")]
    zone: Option<String>,
    /// Degrees north; null takes the place away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>)]
    latitude: Option<Option<f64>>,
    /// Degrees east; null takes the place away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>)]
    longitude: Option<Option<f64>>,
}

impl From<Home> for HomeBody {
    fn from(home: Home) -> Self {
        Self {
            name: home.name,
            zone: home.zone,
            latitude: home.latitude,
            longitude: home.longitude,
        }
    }
}

/// The home.
#[utoipa::path(get, path = "/api/v1/home", tag = "home", responses((status = 200, body = HomeBody)))]
pub(crate) async fn get(app: web::Data<App>, _user: CurrentUser) -> Answer {
    Ok(HttpResponse::Ok().json(HomeBody::from(stored(&app).await?)))
}

/// Changes the home. A new zone counts at once, also for devices that tell local times.
#[utoipa::path(patch, path = "/api/v1/home", tag = "home",
    request_body(content = HomeChange, content_type = "application/merge-patch+json"),
    responses((status = 200, body = HomeBody), (status = 403), (status = 422)))]
pub(crate) async fn patch(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<HomeChange>,
) -> Answer {
    user.admin()?;
    let (home, change) = (stored(&app).await?, body.value);
    let wanted = Home {
        name: change.name.unwrap_or(home.name),
        zone: change.zone.unwrap_or(home.zone),
        latitude: change.latitude.unwrap_or(home.latitude),
        longitude: change.longitude.unwrap_or(home.longitude),
        set_up_at: home.set_up_at,
    };
    let wanted = checked("name", wanted)?;
    app.hub.set_home(&wanted, &user.subject).await?;
    Ok(HttpResponse::Ok().json(HomeBody::from(wanted)))
}

/// The home as it is stored.
pub(crate) async fn stored(app: &App) -> Answer<Home> {
    let home = app.store.home().await?;
    home.ok_or_else(|| Problem::not_found("the home is not set up"))
}

/// The home with its name trimmed, if it may be so. `name_field` is what the request calls the name.
pub(crate) fn checked(name_field: &'static str, mut home: Home) -> Answer<Home> {
    home.name = check_name(name_field, &home.name)?;
    check_zone(&home.zone)?;
    check_place(home.latitude, home.longitude)?;
    Ok(home)
}

/// The name without spaces at its ends.
pub(crate) fn check_name(field: &'static str, name: &str) -> Answer<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        let detail = format!("the home's name has 1 to {NAME_MAX} characters");
        return Err(Problem::invalid(field, detail));
    }
    Ok(name.to_owned())
}

/// A zone that the hub knows.
pub(crate) fn check_zone(zone: &str) -> Answer<()> {
    if zone.len() <= 64 && jiff::tz::TimeZone::get(zone).is_ok() {
        return Ok(());
    }
    Err(Problem::invalid(
        "zone",
        "no such time zone: use an IANA name such as Europe/Berlin",
    ))
}

/// Both or neither, within the bounds of the globe.
pub(crate) fn check_place(latitude: Option<f64>, longitude: Option<f64>) -> Answer<()> {
    check_degrees("latitude", latitude, 90.0)?;
    check_degrees("longitude", longitude, 180.0)?;
    let missing = match (latitude, longitude) {
        (None, Some(_)) => "latitude",
        (Some(_), None) => "longitude",
        _ => return Ok(()),
    };
    Err(Problem::invalid(
        missing,
        "give both latitude and longitude, or neither",
    ))
}

fn check_degrees(field: &str, degrees: Option<f64>, max: f64) -> Answer<()> {
    match degrees {
        Some(d) if !d.is_finite() || d.abs() > max => Err(Problem::invalid(
            field,
            format!("degrees from -{max} to {max}"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_degrees_are_checked_and_named() {
        assert!(check_zone("Europe/Berlin").is_ok());
        for bad in ["", "Mars/Olympus", "../etc/passwd", &"x".repeat(1000)] {
            let problem = check_zone(bad).expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("zone"));
        }
        assert!(check_place(Some(-90.0), Some(180.0)).is_ok());
        assert!(check_place(None, None).is_ok());
        for (latitude, longitude, field) in [
            (Some(90.1), Some(0.0), "latitude"),
            (Some(f64::NAN), Some(0.0), "latitude"),
            (Some(0.0), Some(f64::INFINITY), "longitude"),
            (Some(0.0), None, "longitude"),
            (None, Some(0.0), "latitude"),
        ] {
            let problem = check_place(latitude, longitude).expect_err("no place");
            assert_eq!(problem.field.as_deref(), Some(field));
        }
    }
}
