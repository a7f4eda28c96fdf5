//! The first ten minutes: home and first administrator, once.
//!
//! Owner of set-up, for REST and the page alike. After it is done there is no
//! such route any more (404).

use crate::api::bodies_user::UserBody;
use crate::api::home;
use crate::app::App;
use crate::auth::setup::Tried;
use crate::auth::sign_in::{check_new_password, check_user_name};
use crate::door::client::Client;
use crate::door::place::is_at_home;
use crate::json::Json;
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use iothome_engine::policy::Role;
use iothome_store::{Home, NewUser, User};
use serde::Deserialize;
use utoipa::ToSchema;

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
    responses((status = 201, body = UserBody), (status = 403, description = "Wrong code, or not from the home network"),
        (status = 404, description = "The home is set up"), (status = 422, description = "A field will not do")))]
pub(crate) async fn setup(app: web::Data<App>, client: Client, body: Json<SetupRequest>) -> Answer {
    check_place(&app, &client).await?;
    let user = perform(&app, body.value).await?;
    Ok(HttpResponse::Created().json(UserBody::from(&user)))
}

/// Whether this client may set the home up at all, whatever it knows: the code is the lock,
/// this is a fence.
pub(crate) async fn check_place(app: &App, client: &Client) -> Answer<()> {
    let config = &app.config;
    let outside = config.outside_host.as_deref();
    if !config.setup_local_only || is_at_home(client, outside) || app.is_set_up().await? {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "not_at_home",
        "set-up is for the home network: come from a private address and not by a public \
         device URL, or set IOTHOME_SETUP_LOCAL_ONLY to false",
    ))
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
    let home = Home {
        name: wanted.home.clone(),
        zone: wanted.zone.clone(),
        latitude: wanted.latitude,
        longitude: wanted.longitude,
        set_up_at: app.now(),
    };
    let home = home::checked("home", home)?;
    let name = check_user_name("username", &wanted.username)?;
    check_new_password("password", &wanted.password)?;
    Ok((home, name))
}
