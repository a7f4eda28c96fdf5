//! The route table as a value: what the server serves and what tests walk.
//!
//! Owner of the list of doors and of who may knock. It must never hold a handler's logic.

use crate::auth::gate;
use crate::problem::Problem;
use crate::{api, live, pages};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Responder, Route, guard, web};
use std::sync::Arc;

/// Who may knock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone; a handler is told who asks if they are signed in.
    Open,
    /// Anyone, and nobody is looked for: files that are the same for all.
    Asset,
    /// A program with an access token in `Authorization: Bearer`.
    Bearer,
    /// A person with a browser: cookies, renewed on the way; others are sent to the sign-in page.
    Cookie,
    /// Either of the two.
    Either,
    /// Either, or the metrics token, or a program on this machine.
    Metrics,
}

/// One method of one path.
#[derive(Clone)]
pub(crate) struct Entry {
    /// The method.
    pub(crate) method: Method,
    /// The path template.
    pub(crate) path: &'static str,
    /// Who may knock.
    pub(crate) access: Access,
    /// Whether `HEAD` is answered, too.
    head: bool,
    make: Arc<dyn Fn() -> Route + Send + Sync>,
}

impl Entry {
    /// A method of a path, who may use it, and what answers.
    pub(crate) fn new<F, Args>(
        method: Method,
        path: &'static str,
        access: Access,
        handler: F,
    ) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let asked = method.clone();
        Self {
            method,
            path,
            access,
            head: false,
            make: Arc::new(move || web::method(asked.clone()).to(handler.clone())),
        }
    }

    /// `GET`, and `HEAD` with it; streams use `new`, since a stream has no end to measure.
    pub(crate) fn get<F, Args>(path: &'static str, access: Access, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let get_or_head = || guard::Any(guard::Get()).or(guard::Head());
        Self {
            method: Method::GET,
            path,
            access,
            head: true,
            make: Arc::new(move || web::route().guard(get_or_head()).to(handler.clone())),
        }
    }

    /// What it answers, as `Allow` names it.
    fn methods(&self) -> impl Iterator<Item = &str> {
        let head = self.head.then_some("HEAD");
        std::iter::once(self.method.as_str()).chain(head)
    }

    /// `POST`.
    pub(crate) fn post<F, Args>(path: &'static str, access: Access, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::POST, path, access, handler)
    }

    /// `PUT`.
    pub(crate) fn put<F, Args>(path: &'static str, access: Access, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::PUT, path, access, handler)
    }

    /// `PATCH`.
    pub(crate) fn patch<F, Args>(path: &'static str, access: Access, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::PATCH, path, access, handler)
    }

    /// `DELETE`.
    pub(crate) fn delete<F, Args>(path: &'static str, access: Access, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::DELETE, path, access, handler)
    }
}

/// Every route of the hub.
pub(crate) fn table() -> Vec<Entry> {
    let mut table = api::routes();
    table.extend(live::routes());
    table.extend(pages::routes());
    table
}

/// A route as documentation and tests see it: method, path template, who may knock.
#[doc(hidden)]
pub fn route_table() -> Vec<(String, &'static str, &'static str)> {
    let word = |access| match access {
        Access::Open | Access::Asset => "open",
        Access::Bearer => "bearer",
        Access::Cookie => "cookie",
        Access::Either => "either",
        Access::Metrics => "metrics",
    };
    table()
        .into_iter()
        .map(|entry| (entry.method.to_string(), entry.path, word(entry.access)))
        .collect()
}

/// Registers the table: one resource per path, gated, with 405 for other methods.
pub(crate) fn configure(table: &[Entry], config: &mut ServiceConfig) {
    let mut paths: Vec<&'static str> = Vec::new();
    for entry in table {
        if !paths.contains(&entry.path) {
            paths.push(entry.path);
        }
    }
    for path in paths {
        let entries = table.iter().filter(|e| e.path == path);
        let access: Arc<[(Method, Access)]> = entries
            .clone()
            .map(|e| (e.method.clone(), e.access))
            .collect();
        let allow = entries
            .clone()
            .flat_map(Entry::methods)
            .collect::<Vec<_>>()
            .join(", ");
        let mut resource = web::resource(path);
        for entry in entries {
            resource = resource.route((entry.make)());
        }
        let resource = resource
            .default_service(web::route().to(move |request: HttpRequest| {
                let problem = wrong_method(&request, &allow);
                async move { Err::<HttpResponse, Problem>(problem) }
            }))
            .wrap(from_fn(move |request, next| {
                gate::pass(Arc::clone(&access), request, next)
            }));
        config.service(resource);
    }
    // Who looks for what is not there is told so in their language.
    let nobody: Arc<[(Method, Access)]> = Arc::new([]);
    config.default_service(
        web::route()
            .to(nothing_here)
            .wrap(from_fn(move |request, next| {
                gate::pass(Arc::clone(&nobody), request, next)
            })),
    );
}

fn wrong_method(request: &HttpRequest, allow: &str) -> Problem {
    let mut problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        format!(
            "{} is not for this path; it takes: {allow}",
            request.method()
        ),
    );
    problem.allow = Some(allow.into());
    problem
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("there is nothing at this address"))
}
