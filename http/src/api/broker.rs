//! The broker and its users.
//!
//! Owner of broker credentials over REST. A password is told once, when it is made.

use crate::api::accounts::{AccountsBody, SelfTestBody, fault_of};
use crate::api::bodies::Page;
use crate::api::devices::{LIMIT, LIMIT_MAX, ListQuery, device_id};
use crate::api::paths;
use crate::api::words::Instant;
use crate::app::App;
use crate::auth::CurrentUser;
use crate::json::{Json, Query};
use crate::problem::Answer;
use crate::system;
use actix_web::{HttpResponse, web};
use iothome_actors::{AccountsStatus, IssuedCredential, NewCredential};
use iothome_engine::access::{Credential, TopicRule};
use iothome_engine::ids::{CredentialId, DeviceId};
use iothome_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The broker as the hub sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Broker)]
pub(crate) struct BrokerBody {
    /// Where devices reach it.
    address: String,
    /// Whether the hub is connected to it.
    connected: bool,
    /// Since when it is, or is not.
    #[schema(value_type = Instant)]
    since: Timestamp,
    /// Why it is not connected.
    problem: Option<String>,
    /// SHA-256 of its leaf certificate, for firmware that pins it.
    sha256: Option<String>,
    /// SHA-1 of it, for firmware that can do no better.
    sha1: Option<String>,
    /// Who manages its users: `embedded`, `hub` or `operator`.
    managed_by: String,
    /// How they stand, where the broker keeps its own list and the hub manages it.
    accounts: Option<AccountsBody>,
    /// What a throw-away account could do with topics that are not its own.
    self_test: SelfTestBody,
    /// Fingerprints of the certificate that will follow, if one was prepared.
    next: Option<NextBody>,
    /// Messages since the hub started, and how many a second over the last minute.
    messages: MessagesBody,
    /// Who is connected, at most 1,000; null where the broker does not tell the hub.
    clients: Option<Vec<ClientBody>>,
}

/// Fingerprints of the broker certificate that will follow.
#[derive(Serialize, ToSchema)]
#[schema(as = NextBrokerCertificate)]
pub(crate) struct NextBody {
    /// SHA-256 of it.
    sha256: String,
    /// SHA-1 of it.
    sha1: String,
}

/// What went over the hub's connection to the broker.
#[derive(Serialize, ToSchema)]
#[schema(as = BrokerMessages)]
pub(crate) struct MessagesBody {
    /// Received.
    received: u64,
    /// Received a second.
    received_per_second: f64,
    /// Sent.
    sent: u64,
    /// Sent a second.
    sent_per_second: f64,
    /// Dropped: too large, or of an unknown topic.
    dropped: u64,
    /// Waiting to be sent or acknowledged.
    waiting: usize,
    /// Subscriptions that the broker refused.
    refused_subscriptions: u64,
}

/// A client that is connected to the broker.
#[derive(Serialize, ToSchema)]
#[schema(as = BrokerClient)]
pub(crate) struct ClientBody {
    /// The broker user it came in with.
    username: String,
    /// Its MQTT client id.
    client_id: String,
    /// Where it comes from.
    address: String,
    /// Since when.
    #[schema(value_type = Instant)]
    since: Timestamp,
}

/// A broker user.
#[derive(Serialize, ToSchema)]
#[schema(as = Credential)]
pub(crate) struct CredentialBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: CredentialId,
    /// The name a person knows it by.
    name: String,
    /// MQTT user name.
    username: String,
    /// Its device; null for a join credential.
    #[schema(value_type = Option<String>)]
    device: Option<DeviceId>,
    /// What it may touch.
    #[schema(value_type = Vec<TopicRuleBody>)]
    topics: Vec<TopicRule>,
    /// When it was made.
    #[schema(value_type = Instant)]
    created_at: Timestamp,
    /// What is wrong with its account at the broker: `taken`, `password_lost`, `refused`.
    fault: Option<&'static str>,
}

/// One line of an access list.
#[derive(ToSchema)]
#[schema(as = TopicRule)]
#[expect(dead_code, reason = "a schema")]
pub(crate) struct TopicRuleBody {
    /// A topic filter.
    #[schema(example = "zigbee2mqtt/#")]
    filter: String,
    /// `read` or `write`, seen from the client.
    #[schema(example = "write")]
    access: String,
}

/// A broker user to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCredentialRequest {
    /// The name a person knows it by.
    #[schema(example = "Zigbee2MQTT")]
    name: String,
    /// Its device; null for a join credential.
    #[serde(default)]
    #[schema(example = json!(null))]
    device: Option<String>,
    /// What it may touch; a device's default if not given.
    #[serde(default)]
    #[schema(value_type = Option<Vec<TopicRuleBody>>)]
    topics: Option<Vec<TopicRule>>,
}

/// A broker user with its password.
#[derive(Serialize, ToSchema)]
#[schema(as = IssuedCredential)]
pub(crate) struct IssuedBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: CredentialId,
    /// MQTT user name.
    username: String,
    /// MQTT password, told this once.
    password: String,
}

impl CredentialBody {
    fn of(credential: Credential, accounts: &AccountsStatus) -> Self {
        Self {
            fault: fault_of(accounts, &credential.username),
            id: credential.id,
            name: credential.name,
            username: credential.username,
            device: credential.device,
            topics: credential.topics,
            created_at: credential.created_at,
        }
    }
}

impl From<IssuedCredential> for IssuedBody {
    fn from(issued: IssuedCredential) -> Self {
        Self {
            id: issued.id,
            username: issued.username,
            password: issued.password,
        }
    }
}

/// The broker: address, fingerprints, connection, messages, clients.
#[utoipa::path(get, path = "/api/v1/broker", tag = "broker", responses((status = 200, body = BrokerBody)))]
pub(crate) async fn status(app: web::Data<App>, user: CurrentUser) -> Answer {
    user.admin()?;
    let status = app.hub.broker();
    let next = system::next_broker(&system::certificates(&app).await);
    Ok(HttpResponse::Ok().json(BrokerBody {
        address: status.address,
        connected: status.connected,
        since: status.since,
        problem: status.problem,
        sha256: status.sha256,
        sha1: status.sha1,
        managed_by: status.managed_by.to_owned(),
        accounts: AccountsBody::of(&app.hub),
        self_test: SelfTestBody::of(&app.hub),
        next: next.map(|next| NextBody {
            sha256: next.sha256,
            sha1: next.sha1,
        }),
        messages: MessagesBody {
            received: status.received,
            received_per_second: status.received_per_second,
            sent: status.sent,
            sent_per_second: status.sent_per_second,
            dropped: status.dropped,
            waiting: status.outbox,
            refused_subscriptions: status.refused_subscriptions,
        },
        clients: system::broker_clients(&app).map(|clients| {
            let clients = clients.into_iter().map(|client| ClientBody {
                username: client.username,
                client_id: client.client_id,
                address: client.address,
                since: client.since,
            });
            clients.collect()
        }),
    }))
}

/// Its users that the hub manages, in the order they were made.
#[utoipa::path(get, path = "/api/v1/broker/credentials", tag = "broker",
    params(ListQuery), responses((status = 200, body = Page<CredentialBody>), (status = 403)))]
pub(crate) async fn list(
    app: web::Data<App>,
    user: CurrentUser,
    query: Query<ListQuery>,
) -> Answer {
    user.admin()?;
    let limit = paths::limit(query.0.limit, LIMIT, LIMIT_MAX)?;
    let credentials = app.hub.credentials().into_iter();
    let accounts = app.hub.accounts();
    let told = credentials.map(|c| (c.id.to_string(), CredentialBody::of(c, &accounts)));
    let all = told.collect();
    let page: Page<CredentialBody> = Page::of(all, query.0.after.as_deref(), limit);
    Ok(HttpResponse::Ok().json(page))
}

/// Makes a broker user, before or after its device is there.
#[utoipa::path(post, path = "/api/v1/broker/credentials", tag = "broker", request_body = NewCredentialRequest,
    responses((status = 201, body = IssuedBody), (status = 403), (status = 409), (status = 422)))]
pub(crate) async fn create(
    app: web::Data<App>,
    user: CurrentUser,
    body: Json<NewCredentialRequest>,
) -> Answer {
    user.admin()?;
    let wanted = body.value;
    let device = wanted.device.as_deref();
    let new = NewCredential {
        name: wanted.name,
        device: device.map(|id| device_id("device", id)).transpose()?,
        topics: wanted.topics,
    };
    let issued = app.hub.create_credential(new, &user.subject).await?;
    Ok(HttpResponse::Created().json(IssuedBody::from(issued)))
}

/// Gives it a new password; the old one ends and its connection is cut.
#[utoipa::path(post, path = "/api/v1/broker/credentials/{credential}/rotate", tag = "broker",
    params(("credential" = String, Path)),
    responses((status = 200, body = IssuedBody), (status = 403), (status = 404)))]
pub(crate) async fn rotate(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    user.admin()?;
    let id: CredentialId = paths::id(&path, "credential")?;
    let issued = app.hub.rotate_credential(id, &user.subject).await?;
    Ok(HttpResponse::Ok().json(IssuedBody::from(issued)))
}

/// Deletes it and cuts its connection.
#[utoipa::path(delete, path = "/api/v1/broker/credentials/{credential}", tag = "broker",
    params(("credential" = String, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(crate) async fn delete(
    app: web::Data<App>,
    user: CurrentUser,
    path: web::Path<String>,
) -> Answer {
    user.admin()?;
    let id: CredentialId = paths::id(&path, "credential")?;
    app.hub.delete_credential(id, &user.subject).await?;
    Ok(HttpResponse::NoContent().finish())
}
