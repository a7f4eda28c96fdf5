//! The form of a schedule: a new one, or one that is to be changed.
//!
//! Owner of what its buttons do: add and remove rows, preview, save. Only saving
//! changes anything, and only what its preview has shown.

use super::rows::{Row, Values, put, rows, take};
use super::words::{Teller, entity_name};
use super::{choices, faults, filled, id_of, no_schedule, read, stopped};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::json::Query;
use crate::pages::error::wants_fragment;
use crate::pages::visit::{Visit, page, see_other};
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use iothome_actors::{HubError, SavedBy, SchedulingError};
use iothome_engine::ids::DeviceId;
use iothome_engine::policy::Right;
use iothome_engine::schedule::{
    ACTIONS_MAX, CONDITIONS_MAX, Definition, Preview as Question, Schedule,
};
use iothome_views::links;
use iothome_views::pages::schedules::{
    self as view, ConditionRow, FormPage, NewConditions, Preview, Problems,
};
use iothome_views::texts::fill;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Times shown before saving.
const DUE: usize = 10;
/// Devices to choose from: a select of more helps nobody.
const DEVICES: usize = 2_000;

/// What a new schedule is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    device: Option<String>,
}

/// The form of a new schedule.
pub(super) async fn show_new(
    app: web::Data<App>,
    user: CurrentUser,
    about: Query<About>,
) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let desk = Desk::new(Teller::of(&app, &user, &visit), None);
    let mut values = filled::fresh(desk.teller);
    let device = about.0.device.as_deref().and_then(|d| d.parse().ok());
    if let Some(device) = device.filter(|device| desk.teller.may_schedule(device)) {
        desk.add(&mut values, &device);
    }
    Ok(page(desk.page(values, Problems::new(), false)))
}

/// What a button of the form of a new schedule does.
pub(super) async fn submit_new(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    form: Form<Values>,
) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let desk = Desk::new(Teller::of(&app, &user, &visit), None);
    desk.act(&request, form.0).await
}

fn schedule(app: &App, user: &CurrentUser, path: &str) -> Answer<Arc<Schedule>> {
    let scheduler = app.hub.scheduler();
    let found = scheduler.get(id_of(path)?, &user.subject);
    let schedule = found.ok_or_else(no_schedule)?;
    if !scheduler.may_change(&schedule, &user.subject) {
        return Err(Problem::forbidden("you may not change this schedule"));
    }
    Ok(schedule)
}

/// The form of a schedule that is there.
pub(super) async fn show_edit(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let schedule = schedule(&app, &user, &path)?;
    let visit = Visit::of(&app, &user).await?;
    let desk = Desk::new(Teller::of(&app, &user, &visit), Some(&schedule));
    let values = filled::of(desk.teller, &schedule.definition, schedule.version);
    Ok(page(desk.page(values, Problems::new(), false)))
}

/// What a button of the form of a schedule that is there does.
pub(super) async fn submit_edit(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
    form: Form<Values>,
) -> Answer {
    let schedule = schedule(&app, &user, &path)?;
    let visit = Visit::of(&app, &user).await?;
    let desk = Desk::new(Teller::of(&app, &user, &visit), Some(&schedule));
    desk.act(&request, form.0).await
}

/// Where a form is worked on.
struct Desk<'a> {
    teller: Teller<'a>,
    schedule: Option<&'a Schedule>,
}

impl<'a> Desk<'a> {
    fn new(teller: Teller<'a>, schedule: Option<&'a Schedule>) -> Self {
        Self { teller, schedule }
    }

    async fn act(&self, request: &HttpRequest, typed: Values) -> Answer {
        let mut values = filled::fresh(self.teller);
        // A box that is not ticked is not sent, so only what is always sent has a default.
        values.extend(typed);
        let task = values.remove("do").unwrap_or_default();
        if task == "look" || wants_fragment(request) {
            let (preview, _) = self.preview(&values, false);
            return Ok(page(view::preview(self.teller.t(), &preview)));
        }
        let mut problems = Problems::new();
        if matches!(task.as_str(), "save" | "preview") && rows(&values, 'a').is_empty() {
            self.add_chosen(&mut values, &mut Problems::new());
        }
        match task.as_str() {
            "save" => return self.save(values).await,
            "preview" => {
                let (_, found) = self.preview(&values, false);
                problems = found;
            }
            rows => self.rows(rows, &mut values, &mut problems),
        }
        let is_faulty = !problems.is_empty();
        let markup = self.page(values, problems, false);
        Ok(if is_faulty {
            faulty(markup)
        } else {
            page(markup)
        })
    }

    async fn save(&self, values: Values) -> Answer {
        let read = read::Reader::new(self.teller, &values).definition();
        let definition = match read {
            Ok(definition) => definition,
            Err(problems) => return Ok(faulty(self.page(values, problems, false))),
        };
        let (_, problems) = self.preview(&values, false);
        if !problems.is_empty() {
            return Ok(faulty(self.page(values, problems, false)));
        }
        let seen = values.get("seen").map(String::as_str);
        if seen != Some(mark(&values).as_str()) {
            return Ok(page(self.page(values, Problems::new(), true)));
        }
        let subject = &self.teller.user.subject;
        let scheduler = self.teller.app.hub.scheduler();
        let saved = match self.schedule {
            None => scheduler.create(definition, subject).await,
            Some(schedule) => {
                let by = SavedBy {
                    subject,
                    if_match: values.get("version").and_then(|v| v.parse().ok()),
                };
                scheduler.replace(schedule.id, definition, by).await
            }
        };
        match saved {
            Ok(schedule) => Ok(see_other(&links::schedule(&schedule.id))),
            Err(error) => {
                let problems = self.refused(&values, error)?;
                Ok(faulty(self.page(values, problems, false)))
            }
        }
    }

    fn refused(&self, values: &Values, error: SchedulingError) -> Answer<Problems> {
        let t = self.teller.t();
        let f = &t.schedule_form;
        let mut problems = Problems::new();
        match error {
            SchedulingError::Faults(faults) => {
                for fault in &faults {
                    faults::note(t, values, &mut problems, fault);
                }
            }
            SchedulingError::Denied { field, .. } => {
                let n = field.trim_start_matches("actions[");
                let n = n.split(']').next().unwrap_or("0");
                problems.insert(format!("a{n}_device"), f.problem_device.to_owned());
            }
            SchedulingError::TooMany(max) => {
                let told = fill(f.problem_many, &max.to_string());
                problems.insert(String::new(), told);
            }
            SchedulingError::Hub(HubError::Stale) => {
                problems.insert(String::new(), f.changed.to_owned());
            }
            other => return Err(stopped(other)),
        }
        Ok(problems)
    }

    /// The buttons that add, move and remove rows.
    fn rows(&self, task: &str, values: &mut Values, problems: &mut Problems) {
        let number = |prefix: &str| -> Option<usize> { task.strip_prefix(prefix)?.parse().ok() };
        let change = |values: &mut Values, letter: char, act: &dyn Fn(&mut Vec<Row>)| {
            let mut rows = take(values, letter);
            act(&mut rows);
            put(values, letter, rows);
        };
        match task {
            "add" => self.add_chosen(values, problems),
            "if-state" => self.add_state(values, problems),
            "if-time" => self.add_condition(
                values,
                &[("kind", "time"), ("from", "22:00"), ("to", "06:00")],
                problems,
            ),
            "if-sun" => self.add_condition(values, &[("kind", "sun"), ("sun", "down")], problems),
            "drop-conditions" => drop(values.remove("raw_conditions")),
            _ => {}
        }
        if let Some(n) = number("remove-") {
            change(values, 'a', &|rows| {
                if n < rows.len() {
                    rows.remove(n);
                }
            });
        }
        if let Some(n) = number("up-") {
            change(values, 'a', &|rows| {
                if n > 0 && n < rows.len() {
                    rows.swap(n - 1, n);
                }
            });
        }
        if let Some(n) = number("if-remove-") {
            change(values, 'c', &|rows| {
                if n < rows.len() {
                    rows.remove(n);
                }
            });
        }
    }

    fn add_chosen(&self, values: &mut Values, problems: &mut Problems) {
        let chosen = values.remove("add_device").unwrap_or_default();
        let f = &self.teller.t().schedule_form;
        let wrong = match chosen.parse::<DeviceId>() {
            Err(_) => f.problem_no_actions.to_owned(),
            Ok(device) if !self.teller.may_schedule(&device) => f.problem_device.to_owned(),
            Ok(_) if rows(values, 'a').len() >= ACTIONS_MAX => {
                fill(f.problem_many, &ACTIONS_MAX.to_string())
            }
            Ok(device) => return self.add(values, &device),
        };
        problems.insert("add_device".to_owned(), wrong);
    }

    fn add(&self, values: &mut Values, device: &DeviceId) {
        let offered = choices::row(self.teller, device, "");
        let what = offered.choices.first().map(|choice| choice.value.clone());
        let mut all = take(values, 'a');
        all.push(Row::from([
            ("device".to_owned(), device.to_string()),
            ("what".to_owned(), what.unwrap_or_default()),
            ("unit".to_owned(), "minutes".to_owned()),
        ]));
        put(values, 'a', all);
    }

    fn add_state(&self, values: &mut Values, problems: &mut Problems) {
        let chosen = values.remove("add_condition").unwrap_or_default();
        let view = chosen.parse().ok().and_then(|id| self.teller.device(&id));
        let Some(view) = view else {
            let f = &self.teller.t().schedule_form;
            problems.insert("add_condition".to_owned(), f.problem_no_actions.to_owned());
            return;
        };
        let entity = view.entities.first().map(|e| e.id.to_string());
        let entity = entity.unwrap_or_default();
        let row = [("kind", "state"), ("device", &chosen), ("entity", &entity)];
        self.add_condition(values, &row, problems);
    }

    fn add_condition(&self, values: &mut Values, row: &[(&str, &str)], problems: &mut Problems) {
        let mut all = take(values, 'c');
        if all.len() >= CONDITIONS_MAX {
            let f = &self.teller.t().schedule_form;
            let told = fill(f.problem_many, &CONDITIONS_MAX.to_string());
            problems.insert("conditions".to_owned(), told);
        } else {
            let row = row.iter();
            all.push(
                row.map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
            );
        }
        put(values, 'c', all);
    }

    /// What the form would do, or what is wrong with it.
    fn preview(&self, values: &Values, first: bool) -> (Preview, Problems) {
        let read = read::Reader::new(self.teller, values).definition();
        let definition = match read {
            Ok(definition) => definition,
            Err(problems) => return (told(&problems), problems),
        };
        match self.due(&definition) {
            Ok(due) => {
                let known = Preview::Known {
                    words: self.teller.when_words(&definition),
                    steps: self.teller.steps(&definition),
                    conditions: self.teller.conditions(&definition),
                    due,
                    seen: mark(values),
                    first,
                };
                (known, Problems::new())
            }
            Err(error) => match self.refused(values, error) {
                Ok(problems) => (told(&problems), problems),
                Err(_) => (Preview::Wait, Problems::new()),
            },
        }
    }

    fn due(
        &self,
        definition: &Definition,
    ) -> Result<Vec<iothome_views::components::schedule::DueLine>, SchedulingError> {
        let question = Question {
            trigger: definition.trigger.clone(),
            gap: definition.gap,
            overlap: definition.overlap,
            from: self.teller.visit.now,
            count: DUE,
        };
        let due = self.teller.app.hub.scheduler().preview(&question)?;
        Ok(due.iter().map(|due| self.teller.due(due)).collect())
    }

    fn page(&self, values: Values, problems: Problems, first: bool) -> iothome_views::Markup {
        let preview = match rows(&values, 'a').is_empty() {
            true => Preview::Wait,
            false => self.preview(&values, first).0,
        };
        let actions = rows(&values, 'a');
        let actions = actions.iter().filter_map(|row| {
            let device: DeviceId = row.get("device")?.parse().ok()?;
            let what = row.get("what").map_or("", String::as_str);
            Some(choices::row(self.teller, &device, what))
        });
        let conditions = rows(&values, 'c');
        let conditions = conditions.iter().map(|row| self.condition(row));
        let name = self.schedule.map(|s| s.definition.name.clone());
        let model = FormPage {
            id: self.schedule.map(|s| s.id),
            title: name.unwrap_or_default(),
            actions: actions.collect(),
            devices: self.devices(|device| {
                self.teller.may_schedule(&device.id)
                    && device.entities.iter().any(|e| !e.actions.is_empty())
            }),
            conditions: conditions.collect(),
            new_conditions: NewConditions {
                devices: self.devices(|device| {
                    self.teller.user.subject.may(Right::View, &device.id)
                        && !device.entities.is_empty()
                }),
                kept: self.kept(&values),
            },
            zone: self
                .teller
                .home()
                .zone
                .iana_name()
                .unwrap_or("UTC")
                .to_owned(),
            values,
            problems,
            preview,
        };
        view::form(self.teller.t(), &self.teller.visit.viewer, &model)
    }

    fn devices(
        &self,
        which: impl Fn(&iothome_engine::view::DeviceView) -> bool,
    ) -> Vec<(DeviceId, String)> {
        let devices = self.teller.app.hub.house().devices();
        let mut found: Vec<(DeviceId, String)> = devices
            .iter()
            .filter(|device| which(device))
            .map(|device| (device.id.clone(), device.name.clone()))
            .collect();
        found.sort_by_key(|(_, name)| name.to_lowercase());
        found.truncate(DEVICES);
        found
    }

    fn condition(&self, row: &Row) -> ConditionRow {
        let text = |part: &str| row.get(part).map_or("", String::as_str);
        match text("kind") {
            "time" => ConditionRow::Time,
            "sun" => ConditionRow::Sun,
            _ => {
                // An id that is none is refused when the form is read.
                let unknown = || "unknown".parse().ok();
                let device: Option<DeviceId> = text("device").parse().ok().or_else(unknown);
                let Some(device) = device else {
                    return ConditionRow::Sun;
                };
                let view = self.teller.device(&device);
                let parts = view.as_ref().map_or_else(Vec::new, |view| {
                    let entities = view.entities.iter();
                    entities
                        .map(|e| (e.id.clone(), entity_name(view, e)))
                        .collect()
                });
                ConditionRow::State {
                    name: self.teller.device_name(&device),
                    device,
                    parts,
                }
            }
        }
    }

    /// Conditions that rows cannot say, in words.
    fn kept(&self, values: &Values) -> Option<String> {
        let kept = values.get("raw_conditions").filter(|k| !k.is_empty())?;
        let schedule = self.schedule.and_then(|s| {
            let words = self.teller.conditions(&s.definition);
            let same = s.definition.conditions.as_ref()?;
            let json = serde_json::to_string(same).ok()?;
            words.filter(|_| json == *kept)
        });
        Some(schedule.unwrap_or_else(|| kept.chars().take(500).collect()))
    }
}

fn told(problems: &Problems) -> Preview {
    Preview::Faults(problems.values().cloned().collect())
}

/// Marks what a preview has shown: everything that decides what is done and when.
fn mark(values: &Values) -> String {
    let mut digest = Sha256::new();
    for (key, value) in values {
        let decides = !matches!(
            key.as_str(),
            "seen" | "name" | "version" | "add_device" | "add_condition" | "enabled"
        );
        if decides && !value.is_empty() {
            digest.update(key);
            digest.update([0]);
            digest.update(value);
            digest.update([0]);
        }
    }
    // 64 bits: it guards against haste, not against anybody.
    data_encoding::HEXLOWER.encode(&digest.finalize()[..8])
}

/// A page that says what was wrong with the form it was sent.
fn faulty(markup: iothome_views::Markup) -> HttpResponse {
    HttpResponse::build(StatusCode::UNPROCESSABLE_ENTITY)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}
