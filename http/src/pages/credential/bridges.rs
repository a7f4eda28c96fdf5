//! Broker users for bridges: list, make, show, rotate, delete.
//!
//! Owner of those pages. What a filter may reach is the house's to say.

use super::{connection, managed_by, password, rules, shown};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::pages::accounts::fault_of;
use crate::pages::add_device::{Nothing, faulty, told};
use crate::pages::visit::{Visit, page, see_other};
use crate::problem::{Answer, Problem};
use actix_web::{HttpRequest, web};
use iothome_actors::NewCredential;
use iothome_engine::access::Credential;
use iothome_engine::ids::CredentialId;
use iothome_engine::kind::Kind;
use iothome_views::links;
use iothome_views::pages::add_device::Problems;
use iothome_views::pages::credential::{
    self as view, BridgePreset, CredentialLine, CredentialPage, CredentialsPage, NewBridge,
    SnippetEntity, Whose,
};
use iothome_views::time::When;
use serde::Deserialize;
use std::time::Instant;

/// Filters named of a broker user in the list.
const FILTERS: usize = 4;

/// The list, and the form of a new one.
pub(crate) async fn list(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let model = list_of(&app, &visit, NewBridge::default(), Problems::new());
    Ok(page(view::list_page(visit.t, &visit.viewer, &model)))
}

fn list_of(app: &App, visit: &Visit, form: NewBridge, problems: Problems) -> CredentialsPage {
    let lines = app.hub.credentials().into_iter().map(|c| CredentialLine {
        id: c.id,
        name: c.name,
        username: c.username.clone(),
        device: c.device,
        filters: c
            .topics
            .iter()
            .take(FILTERS)
            .map(|r| r.filter.clone())
            .collect(),
        made: When::new(visit.t, c.created_at, visit.now, &visit.zone),
        fault: fault_of(&app.hub, &c.username),
    });
    CredentialsPage {
        managed_by: managed_by(app),
        lines: lines.collect(),
        form,
        problems,
    }
}

/// The form of a new bridge.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BridgeForm {
    preset: String,
    name: String,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    rules: String,
}

/// Makes a broker user and shows its password.
pub(crate) async fn create(
    app: web::Data<App>,
    user: CurrentUser,
    form: Form<BridgeForm>,
) -> Answer {
    user.admin()?;
    let visit = Visit::of(&app, &user).await?;
    let typed = form.0;
    let preset = BridgePreset::from_word(&typed.preset);
    let form = NewBridge {
        preset: preset.ok_or_else(|| Problem::invalid("preset", "there is no such preset"))?,
        name: typed.name,
        prefix: typed.prefix,
        rules: typed.rules,
    };
    match make(&app, &user, &visit, &form).await? {
        Ok(id) => Ok(see_other(&links::credential(&id))),
        Err(problems) => {
            let model = list_of(&app, &visit, form, problems);
            Ok(faulty(view::list_page(visit.t, &visit.viewer, &model)))
        }
    }
}

async fn make(
    app: &App,
    user: &CurrentUser,
    visit: &Visit,
    form: &NewBridge,
) -> Answer<Result<CredentialId, Problems>> {
    let t = visit.t;
    let mut problems = Problems::new();
    if form.name.trim().is_empty() {
        problems.insert("name".into(), t.credential.problem_needed.into());
    }
    let topics = match rules::of(t, form) {
        Ok(topics) if problems.is_empty() => topics,
        Ok(_) => return Ok(Err(problems)),
        Err(more) => {
            problems.extend(more);
            return Ok(Err(problems));
        }
    };
    let new = NewCredential {
        name: form.name.clone(),
        device: None,
        topics: Some(topics),
    };
    match app.hub.create_credential(new, &user.subject).await {
        Ok(issued) => {
            let id = issued.id;
            app.issued.put(user.session, issued, Instant::now());
            Ok(Ok(id))
        }
        Err(error) => {
            let problem = Problem::from(error);
            let (field, said) = told(t, &problem).ok_or(problem)?;
            // The house names a rule by its number.
            let field = if field == "name" {
                field
            } else {
                String::new()
            };
            Ok(Err(Problems::from([(field, said)])))
        }
    }
}

fn found(app: &App, user: &CurrentUser, id: &str) -> Answer<Credential> {
    user.admin()?;
    let nothing = || Problem::not_found("there is no such broker user");
    let id: CredentialId = id.parse().map_err(|_| nothing())?;
    let mut all = app.hub.credentials().into_iter();
    all.find(|credential| credential.id == id)
        .ok_or_else(nothing)
}

/// How a bridge gets in.
pub(crate) async fn bridge(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
) -> Answer {
    let credential = found(&app, &user, &path)?;
    if let Some(device) = &credential.device {
        return Ok(see_other(&links::device_credential(device)));
    }
    let visit = Visit::of(&app, &user).await?;
    let bridge = rules::bridge_of(&credential.topics);
    let prefix = rules::prefix_of(&credential.topics);
    let prefix = prefix.unwrap_or_else(|| credential.username.clone());
    let filters = credential.topics.iter().map(|rule| &rule.filter);
    let tasmota_topic = rules::tasmota_topic(filters);
    let (command, state) = match (bridge, &tasmota_topic) {
        (Some(BridgePreset::Tasmota), topic) => {
            let topic = topic.as_deref().unwrap_or("tasmota");
            (format!("cmnd/{topic}/POWER"), format!("stat/{topic}/POWER"))
        }
        _ => (format!("{prefix}/test/set"), format!("{prefix}/test")),
    };
    let mut connection = connection(&app, &credential.username);
    connection.password = password(&app, &user, &request, credential.id);
    connection.entities = vec![SnippetEntity {
        name: credential.name.clone(),
        kind: Kind::Switch,
        command_topic: Some(command),
        state_topic: Some(state),
        example: "ON".to_owned(),
    }];
    connection.availability = Some(format!("{prefix}/status"));
    connection.base = prefix;
    let model = CredentialPage {
        whose: Whose::Bridge(credential.id),
        name: credential.name.clone(),
        exists: true,
        managed_by: managed_by(&app),
        fault: fault_of(&app.hub, &credential.username),
        bridge,
        tasmota_topic,
        connection,
        rules: shown(&credential.topics),
        has_ca: app.config.ca_pem.is_some(),
    };
    Ok(page(view::page(visit.t, &visit.viewer, &model)))
}

/// Gives a broker user a new password and shows it.
pub(crate) async fn rotate_bridge(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let credential = found(&app, &user, &path)?;
    let issued = app
        .hub
        .rotate_credential(credential.id, &user.subject)
        .await?;
    app.issued.put(user.session, issued, Instant::now());
    Ok(see_other(&links::credential(&credential.id)))
}

/// Asks whether a broker user is to go.
pub(crate) async fn ask_delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    let credential = found(&app, &user, &path)?;
    let visit = Visit::of(&app, &user).await?;
    let markup = view::delete_page(visit.t, &visit.viewer, &credential.id, &credential.name);
    Ok(page(markup))
}

/// Deletes a broker user.
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let credential = found(&app, &user, &path)?;
    app.hub
        .delete_credential(credential.id, &user.subject)
        .await?;
    Ok(see_other(links::CREDENTIALS))
}
