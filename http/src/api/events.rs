//! `/api/v1/events`: changes of the house as JSON, for API clients.
//!
//! Owner of what the API's events say. Numbers, resumption and the end of the
//! stream are the toolkit's.

use crate::api::bodies::{CommandBody, DeviceBody, EntityBody};
use crate::app::App;
use crate::auth::CurrentUser;
use crate::problem::Answer;
use crate::stream::{self, Frame, Signal};
use actix_web::{HttpRequest, web};
use iothome_actors::{Change, House};
use iothome_engine::ids::{DeviceId, EntityId};
use iothome_engine::policy::{Right, Subject};
use iothome_engine::view::DeviceView;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Data of an `entity` event.
#[derive(Serialize, ToSchema)]
pub(crate) struct EntityEvent {
    /// Its device.
    #[schema(value_type = String)]
    device: DeviceId,
    /// The entity as it is now.
    entity: EntityBody,
}

/// Data of a `device` event where something is gone, or may not be seen any more.
#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedEvent {
    /// The device.
    #[schema(value_type = String)]
    id: DeviceId,
    /// Entities that are gone; null if the whole device is.
    #[schema(value_type = Option<Vec<String>>)]
    removed_entities: Option<Vec<EntityId>>,
    /// Always true.
    removed: bool,
}

/// Changes as server-sent events: `entity`, `device`, `command`, `resync`.
///
/// Open the stream first and read the devices then. Send `Last-Event-ID` to go on where you
/// were. After `resync` read the devices anew.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = EntityEvent)))]
pub(crate) async fn events(app: web::Data<App>, user: CurrentUser, request: HttpRequest) -> Answer {
    let mut teller = Teller::new(app.hub.house().clone());
    stream::respond(&app, &request, &user, move |signal, subject| {
        teller.tell(signal, subject)
    })
    .await
}

/// Knows what this reader knows.
struct Teller {
    house: House,
    known: HashMap<DeviceId, Arc<DeviceView>>,
}

impl Teller {
    fn new(house: House) -> Self {
        Self {
            house,
            known: HashMap::new(),
        }
    }

    fn tell(&mut self, signal: &Signal, subject: &Subject) -> Vec<Frame> {
        match signal {
            Signal::Started | Signal::Resync => {
                self.known = self.visible(subject);
                Vec::new()
            }
            Signal::Rights => self.directory(subject),
            Signal::Look => Vec::new(),
            Signal::Missed(changes) => {
                for change in changes {
                    if let Change::Device(id) = change {
                        self.known.remove(id);
                    }
                }
                self.changed(changes, subject)
            }
            Signal::Changed(changes) => self.changed(changes, subject),
        }
    }

    fn changed(&mut self, changes: &[Change], subject: &Subject) -> Vec<Frame> {
        let changes = changes.iter();
        changes.flat_map(|c| self.change(c, subject)).collect()
    }

    fn visible(&self, subject: &Subject) -> HashMap<DeviceId, Arc<DeviceView>> {
        self.house
            .devices()
            .into_iter()
            .filter(|device| subject.may(Right::View, &device.id))
            .map(|device| (device.id.clone(), device))
            .collect()
    }

    fn change(&mut self, change: &Change, subject: &Subject) -> Vec<Frame> {
        match change {
            Change::Device(id) => self.device(id, subject),
            Change::Directory => self.directory(subject),
            Change::Command(command) if subject.may(Right::View, &command.device) => {
                frame("command", &CommandBody::from(&**command))
                    .into_iter()
                    .collect()
            }
            Change::Command(_) => Vec::new(),
        }
    }

    fn directory(&mut self, subject: &Subject) -> Vec<Frame> {
        let now = self.visible(subject);
        let gone = self.known.keys().filter(|id| !now.contains_key(*id));
        let mut ids: Vec<DeviceId> = gone.cloned().collect();
        ids.extend(now.into_keys());
        ids.sort();
        ids.iter().flat_map(|id| self.device(id, subject)).collect()
    }

    fn device(&mut self, id: &DeviceId, subject: &Subject) -> Vec<Frame> {
        let now = self
            .house
            .device(id)
            .filter(|_| subject.may(Right::View, id));
        let before = match &now {
            Some(now) => self.known.insert(id.clone(), Arc::clone(now)),
            None => self.known.remove(id),
        };
        match (before, now) {
            (None, None) => Vec::new(),
            (Some(_), None) => removed(id, None).into_iter().collect(),
            (before, Some(now)) => differences(before.as_deref(), &now),
        }
    }
}

fn frame<T: Serialize>(event: &'static str, body: &T) -> Option<Frame> {
    match serde_json::to_string(body) {
        Ok(data) => Some(Frame { event, data }),
        Err(error) => {
            tracing::error!(%error, event, "an event cannot be written as JSON");
            None
        }
    }
}

fn removed(id: &DeviceId, entities: Option<Vec<EntityId>>) -> Option<Frame> {
    let body = RemovedEvent {
        id: id.clone(),
        removed_entities: entities,
        removed: true,
    };
    frame("device", &body)
}

fn differences(before: Option<&DeviceView>, now: &DeviceView) -> Vec<Frame> {
    let mut frames = Vec::new();
    if before.is_none_or(|before| head(before) != head(now)) {
        frames.extend(frame("device", &DeviceBody::without_entities(now)));
    }
    let gone: Vec<EntityId> = before
        .iter()
        .flat_map(|before| &before.entities)
        .filter(|entity| now.entity(&entity.id).is_none())
        .map(|entity| entity.id.clone())
        .collect();
    if !gone.is_empty() {
        frames.extend(removed(&now.id, Some(gone)));
    }
    for entity in &now.entities {
        let same = before
            .and_then(|before| before.entities.iter().find(|e| e.id == entity.id))
            .is_some_and(|old| Arc::ptr_eq(old, entity) || old == entity);
        if !same {
            let body = EntityEvent {
                device: now.id.clone(),
                entity: EntityBody::new(entity),
            };
            frames.extend(frame("entity", &body));
        }
    }
    frames
}

/// What a `device` event tells, but for what changes with every report.
fn head(view: &DeviceView) -> impl PartialEq + '_ {
    (
        (&view.name, &view.room, &view.icon, view.position),
        (view.availability, view.health, &view.reason),
        (view.sender_verified, &view.about),
    )
}
