//! Export and import.
//!
//! Owner of the download and of the form that takes a file. An import is all or
//! nothing; what was wrong comes back with what was pasted.

use super::list::may_make;
use super::multipart::{self, Parts};
use super::stopped;
use super::words::Teller;
use crate::app::App;
use crate::auth::{CurrentUser, csrf};
use crate::door::limits::BODY_WAIT;
use crate::pages::visit::{Visit, page, see_other};
use crate::problem::{Answer, Problem};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use iothome_actors::SchedulingError;
use iothome_engine::schedule::ScheduleError;
use iothome_views::links;
use iothome_views::pages::schedules::{Fault, FilesPage, files};
use iothome_views::texts::fill;
use iothome_views::texts::rhythm::capital;
use serde_json::Value;

/// Largest import: a thousand schedules of two kilobytes.
const IMPORT_MAX: usize = 2 * 1024 * 1024;

/// The page.
pub(super) async fn show(app: web::Data<App>, user: CurrentUser) -> Answer {
    let visit = Visit::of(&app, &user).await?;
    let model = FilesPage {
        may_make: may_make(Teller::of(&app, &user, &visit)),
        ..FilesPage::default()
    };
    Ok(page(files(visit.t, &visit.viewer, &model)))
}

/// The file.
pub(super) async fn export(app: web::Data<App>, user: CurrentUser) -> Answer {
    let bundle = app.hub.scheduler().export(&user.subject);
    let text = serde_json::to_string_pretty(&bundle).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((
            CONTENT_DISPOSITION,
            "attachment; filename=\"schedules.json\"",
        ))
        .body(text))
}

/// Takes a file, or what was pasted.
pub(super) async fn import(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    body: web::Payload,
) -> Answer {
    let parts = parts(&request, body).await?;
    if !csrf::check(&app.keys, user.session, parts.text("csrf")) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "stale_form",
            "this form is too old or not from this hub: load the page again",
        ));
    }
    let visit = Visit::of(&app, &user).await?;
    let text = match parts.text("file").trim() {
        "" => parts.text("pasted"),
        file => file,
    };
    let mut model = FilesPage {
        pasted: text.to_owned(),
        may_make: may_make(Teller::of(&app, &user, &visit)),
        ..FilesPage::default()
    };
    let s = &visit.t.schedules;
    if text.trim().is_empty() {
        model.problem = Some(s.import_empty.to_owned());
        return Ok(faulty(&visit, &model));
    }
    let file: Value = match serde_json::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            model.problem = Some(s.import_faults.to_owned());
            model.faults = vec![Fault {
                field: format!("{}:{}", error.line(), error.column()),
                problem: capital(&error.to_string()),
                example: r#"{"version":1,"schedules":[…]}"#.to_owned(),
            }];
            return Ok(faulty(&visit, &model));
        }
    };
    match app.hub.scheduler().import(&file, &user.subject).await {
        Ok(made) => Ok(see_other(&format!(
            "{}?imported={}",
            links::SCHEDULES,
            made.schedules.len()
        ))),
        Err(SchedulingError::Faults(found)) => {
            model.problem = Some(s.import_faults.to_owned());
            model.faults = found.iter().map(|f| fault(&visit, f)).collect();
            Ok(faulty(&visit, &model))
        }
        Err(SchedulingError::TooMany(max)) => {
            let many = visit.t.schedule_form.problem_many;
            model.problem = Some(fill(many, &max.to_string()));
            Ok(faulty(&visit, &model))
        }
        Err(other) => Err(stopped(other)),
    }
}

fn fault(visit: &Visit, found: &ScheduleError) -> Fault {
    let told = (visit.t.schedule_form.fault)(&found.problem);
    Fault {
        field: found.field.clone(),
        problem: told.map_or_else(|| capital(&found.problem), str::to_owned),
        example: found.example.clone(),
    }
}

fn faulty(visit: &Visit, model: &FilesPage) -> HttpResponse {
    let markup = files(visit.t, &visit.viewer, model);
    HttpResponse::build(StatusCode::UNPROCESSABLE_ENTITY)
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}

async fn parts(request: &HttpRequest, mut body: web::Payload) -> Answer<Parts> {
    let head = request.headers().get(CONTENT_TYPE);
    let boundary = head
        .and_then(|head| multipart::boundary(head.to_str().ok()?))
        .ok_or_else(|| Problem::bad_request("a form with a file is needed"))?;
    let read = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| Problem::bad_request("the form could not be read"))?;
            if bytes.len() + chunk.len() > IMPORT_MAX {
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_large",
                    format!("the file is larger than {IMPORT_MAX} bytes"),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    let bytes = tokio::time::timeout(BODY_WAIT, read)
        .await
        .map_err(|_| Problem::bad_request("the form took too long to arrive"))??;
    Parts::read(&bytes, &boundary).ok_or_else(|| Problem::bad_request("the form is not readable"))
}
