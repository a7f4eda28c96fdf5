//! The home's own settings: name, time zone, place.
//!
//! Owner of that form. It must never show a map, nor ask anything from outside.

use crate::components::form::{self, Field};
use crate::components::place::{self, City, PlaceFields};
use crate::layout::{Here, Shell, Viewer};
use crate::links;
use crate::texts::{Texts, fill};
use maud::{Markup, html};

/// The page.
#[derive(Clone, Debug, Default)]
pub struct HousePage {
    /// The name, as it is or as it was typed.
    pub name: String,
    /// What is wrong with it.
    pub name_problem: Option<String>,
    /// The zone as it is.
    pub zone: String,
    /// The place, as it is or as it was typed.
    pub place: place::Typed,
    /// What is wrong with it.
    pub problems: place::Problems,
    /// Cities to choose from.
    pub cities: Vec<City>,
    /// Names of time zones to suggest.
    pub zones: Vec<String>,
    /// Whether it has just been saved.
    pub saved: bool,
}

/// The whole page.
pub fn page(t: &'static Texts, viewer: &Viewer, live: &str, model: &HousePage) -> Markup {
    let name = Field {
        name: "name",
        label: t.set_up.home,
        hint: Some(t.set_up.home_hint),
        value: &model.name,
        problem: model.name_problem.as_deref(),
        kind: "text",
        autocomplete: Some("off"),
        required: true,
        max: Some(64),
        ..Field::default()
    };
    let place = PlaceFields {
        cities: &model.cities,
        zones: &model.zones,
        typed: &model.place,
        problems: &model.problems,
        fresh: false,
    };
    let content = html! {
        (super::people::to_settings(t))
        header.page-head { h1 { (t.house.title) } p.hint { (t.house.lead) } }
        @if model.saved { (form::done(t.house.saved)) }
        @if model.name_problem.is_some() || model.problems.any() { (form::alert(t.frame.form_has_problems)) }
        form.card.wide.stack.house method="post" action=(links::HOUSE) {
            (form::csrf(&viewer.csrf))
            (name.draw())
            p.hint { (fill(t.house.now, &model.zone)) }
            (place.draw(t))
            p.ways { button.button.strong { (t.house.save) } }
        }
    };
    Shell {
        t,
        viewer,
        title: t.house.title,
        here: Here::Settings,
        live: Some(live),
    }
    .page(&content)
}
