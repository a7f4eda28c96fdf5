//! How a device or a bridge gets in: broker users by page, for administrators.
//!
//! Owner of handing a new password to the one page that shows it. A password must never
//! stand in an address, in a log or in a second answer.

mod bridges;
mod issued;
mod rules;

pub(super) use bridges::{ask_delete, bridge, create, delete, list, rotate_bridge};
pub(crate) use issued::Issued;

use super::accounts::fault_of;
use super::add_device::{Nothing, stored};
use super::visit::{Visit, page, see_other};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::auth::extract::Form;
use crate::problem::Answer;
use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use iothome_actors::NewCredential;
use iothome_engine::access::{
    Access, Credential, TopicRule, default_device_topics, hand_made_topics,
};
use iothome_engine::config::{Detail, EntityConfig};
use iothome_engine::ids::{CredentialId, DeviceId};
use iothome_engine::kind::Kind;
use iothome_engine::template::Templates;
use iothome_store::StoredDevice;
use iothome_views::links;
use iothome_views::pages::broker::ManagedBy;
use iothome_views::pages::credential::{
    self as view, Connection, CredentialPage, SnippetEntity, Whose,
};
use std::time::Instant;

/// MQTT over TLS, where the address does not say.
const PORT: u16 = 8883;

/// Who manages the broker's users.
fn managed_by(app: &App) -> ManagedBy {
    match app.hub.broker().managed_by {
        "embedded" => ManagedBy::Embedded,
        "hub" => ManagedBy::Hub,
        _ => ManagedBy::Operator,
    }
}

/// Address and fingerprints of the broker, for that user.
fn connection(app: &App, username: &str) -> Connection {
    let status = app.hub.broker();
    let (host, port) = split(&status.address);
    Connection {
        host,
        port,
        username: username.to_owned(),
        // An operator's broker has whatever certificate its operator gave it.
        own_ca: app.config.ca_pem.is_some() && status.managed_by != "operator",
        sha256: status.sha256,
        sha1: status.sha1,
        ..Connection::default()
    }
}

/// `host:port`, `[address]:port` or a host alone.
fn split(address: &str) -> (String, u16) {
    let plain = |host: &str| host.trim_matches(['[', ']']).to_owned();
    match address.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (plain(host), port.parse().unwrap_or(PORT))
        }
        _ => (plain(address), PORT),
    }
}

fn shown(rules: &[TopicRule]) -> Vec<(bool, String)> {
    let rules = rules.iter();
    rules
        .map(|rule| (rule.access == Access::Write, rule.filter.clone()))
        .collect()
}

/// The password, if this session made it just now; a look ahead of a browser does not count.
fn password(
    app: &App,
    user: &CurrentUser,
    request: &HttpRequest,
    id: CredentialId,
) -> Option<String> {
    let headers = request.headers();
    let ahead = ["sec-purpose", "purpose"]
        .into_iter()
        .filter_map(|name| headers.get(name))
        .any(|value| value.to_str().is_ok_and(|v| v.contains("prefetch")));
    let is_look = request.method() == Method::GET && !ahead;
    is_look
        .then(|| app.issued.take(user.session, id, Instant::now()))
        .flatten()
}

/// The device's own broker user; the oldest, if somebody made more.
fn own_credential(app: &App, device: &DeviceId) -> Option<Credential> {
    let all = app.hub.credentials().into_iter();
    let own = all.filter(|c| c.device.as_ref() == Some(device));
    own.min_by_key(|c| c.created_at)
}

/// How a device gets in.
pub(crate) async fn device(
    app: web::Data<App>,
    user: CurrentUser,
    request: HttpRequest,
    path: web::Path<String>,
) -> Answer {
    let stored = stored(&app, &user, &path).await?;
    let visit = Visit::of(&app, &user).await?;
    let credential = own_credential(&app, &stored.id);
    let configs = configs(&stored);
    let username = credential
        .as_ref()
        .map_or_else(|| stored.id.to_string(), |c| c.username.clone());
    let mut connection = connection(&app, &username);
    connection.base = format!("iothome/{}", stored.id);
    connection.password = credential
        .as_ref()
        .and_then(|c| password(&app, &user, &request, c.id));
    connection.entities = snippet_entities(&stored, &configs);
    connection.availability =
        availability(&configs).or_else(|| Some(format!("iothome/{}/availability", stored.id)));
    let rules = match &credential {
        Some(credential) => credential.topics.clone(),
        None => device_rules(&stored, &configs),
    };
    let topics = connection.entities.iter();
    let topics: Vec<String> = topics.filter_map(|e| e.command_topic.clone()).collect();
    let model = CredentialPage {
        whose: Whose::Device(stored.id.clone()),
        name: stored.name.clone(),
        exists: credential.is_some(),
        managed_by: managed_by(&app),
        fault: fault_of(&app.hub, &username),
        connection,
        rules: shown(&rules),
        bridge: None,
        tasmota_topic: rules::tasmota_topic(&topics),
        has_ca: app.config.ca_pem.is_some(),
    };
    Ok(page(view::page(visit.t, &visit.viewer, &model)))
}

/// Gives a device a broker user, or its broker user a new password, and shows it. The device page's
/// button leads here too.
pub(crate) async fn rotate(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
    _form: Form<Nothing>,
) -> Answer {
    let stored = stored(&app, &user, &path).await?;
    let issued = match own_credential(&app, &stored.id) {
        Some(credential) => {
            app.hub
                .rotate_credential(credential.id, &user.subject)
                .await?
        }
        None => {
            let new = NewCredential {
                name: stored.name.clone(),
                device: Some(stored.id.clone()),
                topics: None,
            };
            app.hub.create_credential(new, &user.subject).await?
        }
    };
    app.issued.put(user.session, issued, Instant::now());
    Ok(see_other(&links::device_credential(&stored.id)))
}

fn configs(stored: &StoredDevice) -> Vec<(String, EntityConfig)> {
    let templates = Templates::new();
    let shown = stored.entities.iter().filter(|e| e.withdrawn_at.is_none());
    shown
        .filter_map(|entity| {
            let config = EntityConfig::parse(entity.kind, &entity.raw, &templates).ok()?;
            let own = config.name.clone();
            let name = entity.name.clone().or(own);
            Some((name.unwrap_or_else(|| entity.id.to_string()), config))
        })
        .collect()
}

/// What the device's own user would be allowed.
fn device_rules(stored: &StoredDevice, configs: &[(String, EntityConfig)]) -> Vec<TopicRule> {
    let mut rules = default_device_topics(&stored.id);
    let configs: Vec<EntityConfig> = configs.iter().map(|(_, config)| config.clone()).collect();
    for rule in hand_made_topics(&configs) {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

fn availability(configs: &[(String, EntityConfig)]) -> Option<String> {
    let mut topics = configs.iter().flat_map(|(_, c)| &c.availability.topics);
    topics.next().map(|topic| topic.topic.clone())
}

fn snippet_entities(
    stored: &StoredDevice,
    configs: &[(String, EntityConfig)],
) -> Vec<SnippetEntity> {
    if configs.is_empty() {
        // What the topics of a first entity would look like.
        return vec![SnippetEntity {
            name: "Relay".to_owned(),
            kind: Kind::Switch,
            command_topic: Some(format!("iothome/{}/relay/set", stored.id)),
            state_topic: Some(format!("iothome/{}/relay/state", stored.id)),
            example: "ON".to_owned(),
        }];
    }
    let configs = configs.iter();
    configs
        .map(|(name, config)| SnippetEntity {
            name: name.clone(),
            kind: config.kind,
            command_topic: config.write_topics().first().map(|t| (*t).to_owned()),
            state_topic: config.state_topic.clone(),
            example: example(config),
        })
        .collect()
}

/// A payload that the entity could report.
fn example(config: &EntityConfig) -> String {
    if config.state_template.is_some() {
        return "{\"state\": \"ON\", \"value\": 21.5}".to_owned();
    }
    match &config.detail {
        Detail::Switch(c) => c.state_on.clone(),
        Detail::BinarySensor(c) => c.payload_on.clone(),
        Detail::Select(c) => c.options.first().cloned().unwrap_or_default(),
        Detail::Cover(c) => c.state_open.clone(),
        Detail::Lock(c) => {
            let locked = c.states.iter().find(|(_, word)| *word == "locked");
            locked.map_or_else(String::new, |(payload, _)| payload.clone())
        }
        Detail::Number(c) => c.min.to_string(),
        Detail::Sensor(c) if c.numeric => "21.5".to_owned(),
        _ => "ON".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_into_host_and_port() {
        for (address, host, port) in [
            ("hub.local:8883", "hub.local", 8883),
            ("[fd00::1]:1884", "fd00::1", 1884),
            ("fd00::1", "fd00::1", 8883),
            ("hub.local", "hub.local", 8883),
        ] {
            assert_eq!(split(address), (host.to_owned(), port), "{address}");
        }
    }
}
