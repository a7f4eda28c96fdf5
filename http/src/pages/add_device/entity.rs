//! The form of one entity: a new one, or one that is to be changed.
//!
//! Owner of what its buttons do: save, fill in a preset, use the test bench. Only
//! saving changes anything.

use super::bench::{self, Task, Workpiece};
use super::form::{self, Values};
use super::{faulty, made_by_hand, presets, stored, told};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::pages::error::wants_fragment;
use crate::pages::visit::{Visit, no_device, page, see_other};
use crate::problem::{Answer, Problem};
use actix_web::{HttpRequest, web};
use iothome_actors::{DevicePatch, EntityPatch, NewEntity};
use iothome_engine::config::{EntityConfig, Raw};
use iothome_engine::ids::{EntityId, slug_from_name};
use iothome_engine::kind::Kind;
use iothome_store::{Origin, StoredDevice, StoredEntity};
use iothome_views::links;
use iothome_views::pages::add_device::{self as view, EntityForm, Problems};
use iothome_views::texts::fill;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Which form a new entity has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindQuery {
    kind: Kind,
    #[serde(default)]
    name: String,
}

/// What a form is about.
struct Subject {
    device: StoredDevice,
    entity: Option<StoredEntity>,
    kind: Kind,
}

impl Subject {
    fn base(&self) -> Raw {
        let entity = self.entity.as_ref();
        entity.map(|e| e.raw.clone()).unwrap_or_default()
    }

    /// The page, or the bench alone if the script asked for it.
    async fn form(
        &self,
        app: &App,
        user: &CurrentUser,
        visit: &Visit,
        values: Values,
        problems: Problems,
        task: Task,
    ) -> Answer<EntityForm> {
        let workpiece = Workpiece {
            visit,
            device: &self.device.id,
            kind: self.kind,
            values: &values,
            config: self.config(visit, &values),
        };
        let bench = workpiece.bench(app, user, task).await?;
        Ok(EntityForm {
            device: self.device.id.clone(),
            device_name: self.device.name.clone(),
            entity: self.entity.as_ref().map(|e| e.id.clone()),
            kind: self.kind,
            values,
            problems,
            presets: presets::presets(self.kind),
            version: self.device.version,
            bench,
        })
    }

    /// The configuration that is typed, or the first thing that it lacks.
    fn config(&self, visit: &Visit, values: &Values) -> Result<EntityConfig, String> {
        let t = visit.t;
        let at = |key: &str, problem: &str| {
            let label = (t.add_device.label)(key);
            if label.is_empty() {
                return problem.to_owned();
            }
            format!("{label}: {problem}")
        };
        let templates = bench::templates();
        let filled = form::read(t, self.kind, values, &self.base(), templates);
        let filled = filled.map_err(|problems| {
            let first = problems.iter().next();
            first.map_or_else(String::new, |(key, problem)| at(key, problem))
        })?;
        EntityConfig::parse(self.kind, &filled.config, templates)
            .map_err(|error| at(&error.field, &form::said(t, &error.problem)))
    }
}

/// The form of a new entity, with its usual topics.
pub(crate) async fn show_add(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    query: Query<KindQuery>,
) -> Answer {
    let subject = new_one(&app, &user, &path, query.0.kind).await?;
    let visit = Visit::of(&app, &user).await?;
    let values = defaults(&subject, &query.0.name);
    let model = subject
        .form(&app, &user, &visit, values, Problems::new(), Task::Rest)
        .await?;
    Ok(page(view::entity_form(visit.t, &visit.viewer, &model)))
}

async fn new_one(app: &App, user: &CurrentUser, device: &str, kind: Kind) -> Answer<Subject> {
    let device = stored(app, user, device).await?;
    if device.origin != Origin::HandMade {
        return Err(no_device());
    }
    Ok(Subject {
        device,
        entity: None,
        kind,
    })
}

fn defaults(subject: &Subject, name: &str) -> Values {
    let taken = |id: &str| subject.device.entities.iter().any(|e| e.id.as_str() == id);
    let name = if name.trim().is_empty() {
        subject.kind.as_str()
    } else {
        name.trim()
    };
    let id = slug_from_name(name, subject.kind.as_str(), taken);
    let base = format!("iothome/{}/{id}", subject.device.id);
    let mut values = Values::from([
        ("name".to_owned(), name.chars().take(100).collect()),
        ("id".to_owned(), id),
    ]);
    for field in view::fields(subject.kind) {
        let topic = match field.key {
            "command_topic" => "set",
            "state_topic" => "state",
            _ => continue,
        };
        values.insert(field.key.to_owned(), format!("{base}/{topic}"));
    }
    values
}

/// The form of an entity that is there.
pub(crate) async fn show_edit(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<(String, String)>,
) -> Answer {
    let subject = known_one(&app, &user, &path).await?;
    let visit = Visit::of(&app, &user).await?;
    let values = stored_values(&subject);
    let model = subject
        .form(&app, &user, &visit, values, Problems::new(), Task::Rest)
        .await?;
    Ok(page(view::entity_form(visit.t, &visit.viewer, &model)))
}

async fn known_one(app: &App, user: &CurrentUser, path: &(String, String)) -> Answer<Subject> {
    let device = stored(app, user, &path.0).await?;
    let entity = made_by_hand(&device, &path.1)?.clone();
    Ok(Subject {
        kind: entity.kind,
        device,
        entity: Some(entity),
    })
}

fn stored_values(subject: &Subject) -> Values {
    let Some(entity) = &subject.entity else {
        return Values::new();
    };
    let mut values = form::values_of(entity.kind, &entity.raw);
    let own = entity.raw.get("name").and_then(|name| name.as_str());
    let name = entity.name.as_deref().or(own).unwrap_or_default();
    values.insert("name".to_owned(), name.to_owned());
    if let Some(ms) = entity.deadline_ms {
        #[expect(clippy::cast_precision_loss, reason = "within ten minutes")]
        let seconds = ms as f64 / 1000.0;
        values.insert("deadline_s".to_owned(), seconds.to_string());
    }
    values
}

/// What a button of the form does with a new entity.
pub(crate) async fn add(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    query: Query<KindQuery>,
    form: Form<Values>,
) -> Answer {
    let subject = new_one(&app, &user, &path, query.0.kind).await?;
    act(&app, &user, &request, subject, form.0).await
}

/// What a button of the form does with an entity that is there.
pub(crate) async fn edit(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    form: Form<Values>,
) -> Answer {
    let subject = known_one(&app, &user, &path).await?;
    act(&app, &user, &request, subject, form.0).await
}

async fn act(
    app: &App,
    user: &CurrentUser,
    request: &HttpRequest,
    subject: Subject,
    mut values: Values,
) -> Answer {
    if let Some(key) = form::unknown(subject.kind, &values) {
        let key: String = key.chars().take(64).collect();
        return Err(Problem::invalid(key, "the form has no such field"));
    }
    let visit = Visit::of(app, user).await?;
    let word = values.remove("do").unwrap_or_default();
    let task = Task::of(&word);
    let mut problems = Problems::new();
    if let Some(preset) = word.strip_prefix("preset:") {
        presets::apply(subject.kind, preset, &subject.device.id, &mut values);
    } else if task == Task::Rest {
        match save(app, user, &visit, &subject, &values).await? {
            Ok(entity) => {
                let list = links::entities(&subject.device.id);
                return Ok(see_other(&format!("{list}#{entity}")));
            }
            Err(found) => problems = found,
        }
    }
    let is_faulty = !problems.is_empty();
    let model = subject
        .form(app, user, &visit, values, problems, task)
        .await?;
    if wants_fragment(request) {
        return Ok(page(view::bench(visit.t, &model.bench)));
    }
    let markup = view::entity_form(visit.t, &visit.viewer, &model);
    Ok(if is_faulty {
        faulty(markup)
    } else {
        page(markup)
    })
}

/// Saves the entity, or says what is wrong with the form.
async fn save(
    app: &App,
    user: &CurrentUser,
    visit: &Visit,
    subject: &Subject,
    values: &Values,
) -> Answer<Result<EntityId, Problems>> {
    let read = form::read(
        visit.t,
        subject.kind,
        values,
        &subject.base(),
        bench::templates(),
    );
    let mut filled = match read {
        Ok(filled) => filled,
        Err(problems) => return Ok(Err(problems)),
    };
    let by = &user.subject;
    let device = &subject.device.id;
    let outcome = match &subject.entity {
        None => {
            let new = NewEntity {
                id: filled.id,
                name: filled.name,
                kind: subject.kind,
                deadline_ms: filled.deadline_ms,
                config: filled.config,
            };
            let added = app.hub.add_entity(device, new, None, by).await;
            added.map(|(_, entity)| entity)
        }
        Some(entity) => {
            // The name stands beside the configuration from now on.
            filled.config.remove("name");
            let patch = EntityPatch {
                name: Some(filled.name),
                deadline_ms: Some(filled.deadline_ms),
                config: Some(filled.config),
            };
            let patch = DevicePatch {
                entities: BTreeMap::from([(entity.id.clone(), patch)]),
                ..DevicePatch::default()
            };
            let version = values.get("version").and_then(|v| v.parse().ok());
            let updated = app.hub.update_device(device, patch, version, by).await;
            updated.map(|_| entity.id.clone())
        }
    };
    match outcome {
        Ok(entity) => Ok(Ok(entity)),
        Err(error) => refused(visit, error.into()).map(Err),
    }
}

fn refused(visit: &Visit, problem: Problem) -> Answer<Problems> {
    let t = visit.t;
    if problem.code == "stale" {
        let changed = t.add_device.problem_changed.to_owned();
        return Ok(Problems::from([(String::new(), changed)]));
    }
    let Some((key, said)) = told(t, &problem) else {
        return Err(problem);
    };
    // A template's fault is told like the form's own.
    let said = match key.ends_with("_template") {
        true => fill(t.add_device.problem_template, &said),
        false => said,
    };
    Ok(Problems::from([(key, said)]))
}
