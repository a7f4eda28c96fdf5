//! Things to store, made the short way.

use iothome_engine::access::{Access, Credential, TopicRule};
use iothome_engine::command::{Cause, Command, Status};
use iothome_engine::ids::{CommandId, CredentialId, DeviceId, EntityRef, SessionId, UserId};
use iothome_engine::kind::{Action, Kind};
use iothome_engine::policy::Role;
use iothome_engine::time::Timestamp;
use iothome_engine::view::About;
use iothome_store::{NewUser, Origin, SessionKind, SessionRow, StoredDevice, StoredEntity};

/// 2026-11-24, 07:52:37 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_506_757_000);

fn random(number: u32) -> [u8; 10] {
    let mut bytes = [7; 10];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes
}

pub(crate) fn user_id(number: u32) -> UserId {
    UserId::new(NOW, random(number))
}

pub(crate) fn session_id(number: u32) -> SessionId {
    SessionId::new(NOW, random(number))
}

pub(crate) fn command_id(number: u32) -> CommandId {
    CommandId::new(NOW.plus_millis(number.into()), random(number))
}

pub(crate) fn credential_id(number: u32) -> CredentialId {
    CredentialId::new(NOW, random(number))
}

pub(crate) fn device_id(text: &str) -> DeviceId {
    text.parse().expect("an id")
}

pub(crate) fn entity_ref(device: &str, entity: &str) -> EntityRef {
    EntityRef {
        device: device_id(device),
        entity: entity.parse().expect("an id"),
    }
}

pub(crate) fn user(number: u32, name: &str, role: Role) -> NewUser {
    NewUser {
        id: user_id(number),
        name: name.to_owned(),
        role,
        password_hash: format!("hash of {name}"),
        created_at: NOW,
    }
}

pub(crate) fn session(number: u32, user: UserId) -> SessionRow {
    SessionRow {
        id: session_id(number),
        user,
        kind: SessionKind::Browser,
        refresh_sha256: "first".to_owned(),
        previous_sha256: None,
        rotated_at: NOW,
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW.plus_millis(90 * 86_400_000),
        ended_at: None,
        client: "Firefox on Linux".to_owned(),
    }
}

pub(crate) fn entity(id: &str, kind: Kind) -> StoredEntity {
    let raw = serde_json::json!({"state_topic": format!("home/{id}"), "name": "Tür"});
    StoredEntity {
        id: id.parse().expect("an id"),
        kind,
        name: None,
        raw: raw.as_object().expect("an object").clone(),
        config_topic: Some(format!("homeassistant/{kind}/{id}/config")),
        config_hash: Some("cafe".to_owned()),
        key: Some(format!("unique-{id}")),
        deadline_ms: Some(2_500),
        position: 0,
        withdrawn_at: None,
    }
}

pub(crate) fn device(id: &str) -> StoredDevice {
    StoredDevice {
        id: device_id(id),
        name: format!("The {id}"),
        room: Some("Küche".to_owned()),
        icon: None,
        position: None,
        about: About {
            model: Some("M1".to_owned()),
            connections: vec![("mac".to_owned(), "02:00".to_owned())],
            ..About::default()
        },
        origin: Origin::Discovered,
        identity: vec![format!("id:{id}")],
        sender_verified: true,
        created_at: NOW,
        version: 1,
        entities: vec![entity("door", Kind::BinarySensor)],
    }
}

pub(crate) fn credential(number: u32, username: &str, device: Option<&str>) -> Credential {
    Credential {
        id: credential_id(number),
        username: username.to_owned(),
        name: "Fridge".to_owned(),
        device: device.map(device_id),
        secret_sha256: "abc".to_owned(),
        topics: vec![
            TopicRule {
                filter: "iothome/fridge/#".to_owned(),
                access: Access::Write,
            },
            TopicRule {
                filter: "iothome/fridge/+/set".to_owned(),
                access: Access::Read,
            },
        ],
        created_at: NOW,
    }
}

/// Accepted at `NOW` plus its number in milliseconds.
pub(crate) fn command(number: u32) -> Command {
    let accepted_at = NOW.plus_millis(number.into());
    Command {
        id: command_id(number),
        device: device_id("lamp"),
        entity: "light".parse().expect("an id"),
        action: Action::Toggle,
        resolved: Action::TurnOn,
        value: Some(serde_json::json!({"brightness": 40})),
        cause: Cause::User {
            user: user_id(1),
            name: "eve".to_owned(),
            session: session_id(1),
        },
        status: Status::Accepted,
        reason: None,
        accepted_at,
        deadline_at: accepted_at.plus_millis(5_000),
        ended_at: None,
        latency_micros: None,
        sending: false,
    }
}

pub(crate) fn ended(number: u32, status: Status) -> Command {
    let mut command = command(number);
    command.end(
        command.accepted_at.plus_millis(9),
        status,
        Some("why".to_owned()),
    );
    command
}
