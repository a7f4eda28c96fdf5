//! The first ten minutes: home and first administrator, once.
//!
//! Owner of set-up, for REST and the page alike. After it is done there is no
//! such route any more (404).

use crate::api::bodies_user::UserBody;
use crate::app::App;
use crate::auth::setup::Tried;
use crate::auth::sign_in::{check_new_password, check_user_name};
use crate::json::Json;
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use iothome_engine::policy::Role;
use iothome_store::{Home, NewUser, User};
use serde::Deserialize;
use utoipa::ToSchema;

/// Longest name of a home.
const HOME_MAX: usize = 64;

/// What set-up needs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetupRequest {
    /// The one-time code from the console.
    pub(crate) code: String,
    /// What the household calls its home.
    pub(crate) home: String,
    /// Its time zone, an IANA name.
    #[schema(example = "Europe/Berlin")]
    pub(crate) zone: String,
    /// Degrees north.
    #[serde(default)]
    pub(crate) latitude: Option<f64>,
    /// Degrees east.
    #[serde(default)]
    pub(crate) longitude: Option<f64>,
    /// Name of the first administrator.
    pub(crate) username: String,
    /// Their password.
    pub(crate) password: String,
}

/// Sets the home up. Works once; after that there is nothing here.
#[utoipa::path(post, path = "/api/v1/setup", tag = "sign-in", security(()), request_body = SetupRequest,
    responses((status = 201, body = UserBody), (status = 403, description = "Wrong code"),
        (status = 404, description = "The home is set up"), (status = 422, description = "A field will not do")))]
pub(crate) async fn setup(app: web::Data<App>, body: Json<SetupRequest>) -> Answer {
    let user = perform(&app, body.value).await?;
    Ok(HttpResponse::Created().json(UserBody::from(&user)))
}

/// Sets the home up, or says why not.
pub(crate) async fn perform(app: &App, wanted: SetupRequest) -> Answer<User> {
    if app.is_set_up().await? {
        return Err(done());
    }
    match app.setup.attempt(&wanted.code) {
        Tried::Right => {}
        Tried::Wrong(left) => {
            let detail = format!("the set-up code is wrong; {left} tries are left");
            return Err(Problem::new(StatusCode::FORBIDDEN, "wrong_code", detail).field("code"));
        }
        Tried::Ended => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "code_ended",
                "the set-up code is no longer valid: restart the hub for a new one",
            )
            .field("code"));
        }
    }
    let (home, name) = check(app, &wanted)?;
    let admin = NewUser {
        id: app.new_user_id()?,
        name,
        role: Role::Admin,
        password_hash: app.hub.passwords().hash(wanted.password).await?,
        created_at: app.now(),
    };
    if !app.store.set_up(&home, &admin).await? {
        return Err(done());
    }
    app.setup.close();
    app.hub.home_changed().await?;
    let user = app.store.user(admin.id).await?;
    user.ok_or_else(|| Problem::internal(&"the first administrator is gone"))
}

fn done() -> Problem {
    Problem::not_found("the home is set up")
}

fn check(app: &App, wanted: &SetupRequest) -> Answer<(Home, String)> {
    let home = wanted.home.trim();
    if home.is_empty() || home.chars().count() > HOME_MAX || home.chars().any(char::is_control) {
        let detail = format!("the home's name has 1 to {HOME_MAX} characters");
        return Err(Problem::invalid("home", detail));
    }
    check_zone(&wanted.zone)?;
    check_degrees("latitude", wanted.latitude, 90.0)?;
    check_degrees("longitude", wanted.longitude, 180.0)?;
    if wanted.latitude.is_some() != wanted.longitude.is_some() {
        let missing = if wanted.latitude.is_none() {
            "latitude"
        } else {
            "longitude"
        };
        return Err(Problem::invalid(
            missing,
            "give both latitude and longitude, or neither",
        ));
    }
    let name = check_user_name("username", &wanted.username)?;
    check_new_password("password", &wanted.password)?;
    let home = Home {
        name: home.to_owned(),
        zone: wanted.zone.clone(),
        latitude: wanted.latitude,
        longitude: wanted.longitude,
        set_up_at: app.now(),
    };
    Ok((home, name))
}

fn check_zone(zone: &str) -> Answer<()> {
    if zone.len() <= 64 && jiff::tz::TimeZone::get(zone).is_ok() {
        return Ok(());
    }
    Err(Problem::invalid(
        "zone",
        "no such time zone: use an IANA name such as Europe/Berlin",
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
        assert!(check_degrees("latitude", Some(-90.0), 90.0).is_ok());
        assert!(check_degrees("latitude", None, 90.0).is_ok());
        for bad in [90.1, f64::NAN, f64::INFINITY] {
            assert!(check_degrees("latitude", Some(bad), 90.0).is_err());
        }
    }
}
