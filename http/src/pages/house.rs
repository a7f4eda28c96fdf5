//! The home's own settings, for administrators.
//!
//! Owner of that form; what a home may be is REST's to say.

use super::place::{self, Place};
use super::visit::{Visit, page, see_other};
use crate::api::home::{check_name, stored};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::cities;
use crate::problem::Answer;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_store::Home;
use iothome_views::components::place::{Problems, Typed};
use iothome_views::links;
use iothome_views::numbers::exact;
use iothome_views::pages::house::{self as view, HousePage};
use serde::Deserialize;

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fields {
    name: String,
    #[serde(default)]
    city: String,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    latitude: String,
    #[serde(default)]
    longitude: String,
}

/// The page.
pub(crate) async fn show(app: web::Data<App>, user: CurrentUser, request: HttpRequest) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let home = stored(&app).await?;
    let degrees = |degrees: Option<f64>| degrees.map(exact).unwrap_or_default();
    let model = HousePage {
        name: home.name,
        place: Typed {
            latitude: degrees(home.latitude),
            longitude: degrees(home.longitude),
            ..Typed::default()
        },
        zone: home.zone,
        saved: request.query_string() == "done=saved",
        ..blank()
    };
    let live = visit.live("quiet");
    Ok(page(view::page(visit.t, &visit.viewer, &live, &model)))
}

fn blank() -> HousePage {
    HousePage {
        cities: cities::to_choose(),
        zones: cities::zones(),
        ..HousePage::default()
    }
}

/// Changes the home.
pub(crate) async fn submit(app: web::Data<App>, user: CurrentUser, form: Form<Fields>) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let (t, fields, home) = (visit.t, form.0, stored(&app).await?);
    let typed = Typed {
        city: fields.city,
        zone: fields.zone,
        latitude: fields.latitude,
        longitude: fields.longitude,
    };
    let before = Place {
        zone: home.zone.clone(),
        latitude: home.latitude,
        longitude: home.longitude,
    };
    // A city that is chosen brings its own coordinates: those of before are not typed anew.
    let mut meant = typed.clone();
    if !meant.city.is_empty() && shown(&meant) == (before.latitude, before.longitude) {
        meant.latitude.clear();
        meant.longitude.clear();
    }
    let (name, place) = (
        check_name("name", &fields.name),
        place::read(t, &meant, Some(&before)),
    );
    if let (Ok(name), Ok(place)) = (&name, &place) {
        let wanted = Home {
            name: name.clone(),
            zone: place.zone.clone(),
            latitude: place.latitude,
            longitude: place.longitude,
            set_up_at: home.set_up_at,
        };
        app.hub.set_home(&wanted, &user.subject).await?;
        return Ok(see_other(&format!("{}?done=saved", links::HOUSE)));
    }
    let model = HousePage {
        name_problem: name.err().map(|_| t.set_up.problem_home.to_owned()),
        name: fields.name,
        zone: home.zone,
        place: typed,
        problems: place.err().unwrap_or_else(Problems::default),
        ..blank()
    };
    let live = visit.live("quiet");
    Ok(HttpResponse::UnprocessableEntity()
        .content_type("text/html; charset=utf-8")
        .body(view::page(t, &visit.viewer, &live, &model).into_string()))
}

/// The coordinates in the fields, as numbers.
fn shown(typed: &Typed) -> (Option<f64>, Option<f64>) {
    let number = |text: &str| text.trim().replace(',', ".").parse().ok();
    (number(&typed.latitude), number(&typed.longitude))
}
