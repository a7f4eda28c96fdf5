//! Devices, entities, identities, credentials, new devices.

use crate::make::{self, NOW, credential_id, device_id};
use iothome_engine::access::{Access, TopicRule};
use iothome_engine::kind::Kind;
use iothome_store::testing::on_both;
use iothome_store::{AnnouncedConfig, AuditEntry, DevicePatch, NewDevice, NewStatus, StoreError};
use std::collections::HashMap;

#[tokio::test]
async fn a_device_reads_back_as_it_was_written() {
    on_both(async |store| {
        let mut fridge = make::device("fridge");
        let mut temperature = make::entity("temperature", Kind::Sensor);
        temperature.position = -1;
        fridge.entities.insert(0, temperature);
        let lamp = make::device("lamp");
        let user = make::credential(1, "fridge", Some("fridge"));
        store
            .create_device(&fridge, std::slice::from_ref(&user))
            .await
            .expect("made");
        store.create_device(&lamp, &[]).await.expect("made");
        assert_eq!(store.devices().await.expect("read"), [fridge.clone(), lamp]);
        let one = store.device(&fridge.id).await.expect("read");
        assert_eq!(one, Some(fridge));
        assert_eq!(store.credentials().await.expect("read"), [user]);
        let none = store.device(&device_id("none")).await.expect("read");
        assert_eq!(none, None);
    })
    .await;
}

#[tokio::test]
async fn a_device_whose_credential_is_taken_is_not_made_at_all() {
    on_both(async |store| {
        let first = make::credential(1, "user", None);
        store.create_credential(&first).await.expect("made");
        let second = make::credential(2, "user", Some("fridge"));
        let fridge = make::device("fridge");
        let error = store.create_device(&fridge, &[second]).await;
        assert!(matches!(error, Err(StoreError::Taken { .. })));
        assert!(store.devices().await.expect("read").is_empty());
        assert!(!store.device_id_used("fridge").await.expect("read"));
    })
    .await;
}

#[tokio::test]
async fn an_id_is_never_given_again() {
    on_both(async |store| {
        let fridge = make::device("fridge");
        let user = make::credential(1, "fridge", Some("fridge"));
        store.create_device(&fridge, &[user]).await.expect("made");
        let revoked = store.delete_device(&fridge.id, NOW).await.expect("deleted");
        assert_eq!(revoked, ["fridge"]);
        assert!(store.credentials().await.expect("read").is_empty());
        assert!(store.devices().await.expect("read").is_empty());
        assert_eq!(store.device(&fridge.id).await.expect("read"), None);
        assert!(store.device_id_used("fridge").await.expect("read"));
        let again = store.create_device(&fridge, &[]).await;
        assert!(matches!(
            again,
            Err(StoreError::Taken { what: "device id" })
        ));
        let twice = store.delete_device(&fridge.id, NOW).await;
        assert!(matches!(twice, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn an_entity_id_is_never_given_again_either() {
    on_both(async |store| {
        let fridge = make::device("fridge");
        store.create_device(&fridge, &[]).await.expect("made");
        let door = "door".parse().expect("an id");
        let removal = DevicePatch {
            removed: vec![door],
            ..DevicePatch::default()
        };
        let version = store.update_device(&fridge.id, &removal, None).await;
        assert_eq!(version.expect("removed"), 2);
        let read = store
            .device(&fridge.id)
            .await
            .expect("read")
            .expect("there");
        assert!(read.entities.is_empty());
        let used = store.removed_entity_ids(&fridge.id).await.expect("read");
        assert_eq!(used, ["door".parse().expect("an id")]);
        let comeback = DevicePatch {
            entities: fridge.entities.clone(),
            ..DevicePatch::default()
        };
        let again = store.update_device(&fridge.id, &comeback, None).await;
        assert!(matches!(again, Err(StoreError::Taken { .. })));
        let read = store
            .device(&fridge.id)
            .await
            .expect("read")
            .expect("there");
        assert_eq!(read.version, 2, "what failed changed nothing");
    })
    .await;
}

#[tokio::test]
async fn a_tombstone_is_known_until_a_new_device_takes_its_identity() {
    on_both(async |store| {
        let fridge = make::device("fridge");
        store.create_device(&fridge, &[]).await.expect("made");
        let keys = ["id:unknown".to_owned(), "id:fridge".to_owned()];
        let owner = store.identity_owner(&keys).await.expect("read");
        assert_eq!(owner, Some((fridge.id.clone(), false)));
        let mut thief = make::device("thief");
        thief.identity.clone_from(&fridge.identity);
        let taken = store.create_device(&thief, &[]).await;
        assert!(matches!(taken, Err(StoreError::Taken { what: "identity" })));
        store.delete_device(&fridge.id, NOW).await.expect("deleted");
        let owner = store.identity_owner(&keys).await.expect("read");
        assert_eq!(owner, Some((fridge.id.clone(), true)));
        store.create_device(&thief, &[]).await.expect("it is free");
        let owner = store.identity_owner(&keys).await.expect("read");
        assert_eq!(owner, Some((thief.id, false)));
        assert_eq!(store.identity_owner(&[]).await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_counts_up_the_version() {
    on_both(async |store| {
        let mut fridge = make::device("fridge");
        store.create_device(&fridge, &[]).await.expect("made");
        let rename = DevicePatch {
            name: Some("Cold".to_owned()),
            ..DevicePatch::default()
        };
        let version = store.update_device(&fridge.id, &rename, Some(1)).await;
        assert_eq!(version.expect("renamed"), 2);
        let stale = store.update_device(&fridge.id, &rename, Some(1)).await;
        assert!(matches!(stale, Err(StoreError::Stale)));
        let none = store.update_device(&device_id("no"), &rename, None).await;
        assert!(matches!(none, Err(StoreError::NotFound)));
        let mut door = make::entity("door", Kind::Lock);
        door.withdrawn_at = Some(NOW);
        let change = DevicePatch {
            room: Some(None),
            sender_verified: Some(false),
            identity: vec!["conn:mac:02:00".to_owned()],
            entities: vec![door.clone(), make::entity("light", Kind::Light)],
            ..DevicePatch::default()
        };
        store
            .update_device(&fridge.id, &change, Some(2))
            .await
            .expect("changed");
        fridge.name = "Cold".to_owned();
        fridge.room = None;
        fridge.sender_verified = false;
        fridge.version = 3;
        fridge.identity.insert(0, "conn:mac:02:00".to_owned());
        fridge.entities = change.entities;
        let read = store.device(&fridge.id).await.expect("read");
        assert_eq!(read, Some(fridge));
    })
    .await;
}

#[tokio::test]
async fn credentials_rotate_change_and_go() {
    on_both(async |store| {
        let mut join = make::credential(1, "zigbee", None);
        store.create_credential(&join).await.expect("made");
        let twin = make::credential(2, "zigbee", None);
        let taken = store.create_credential(&twin).await;
        assert!(matches!(taken, Err(StoreError::Taken { .. })));
        let early = make::credential(3, "early", Some("not-there-yet"));
        store
            .create_credential(&early)
            .await
            .expect("comes before its device");
        let gone = store.delete_credential(early.id).await.expect("gone");
        assert_eq!(gone.as_deref(), Some("early"));
        join.secret_sha256 = "def".to_owned();
        let rotated = store.rotate_credential(join.id, "def").await;
        assert!(rotated.expect("rotated"));
        join.topics = vec![TopicRule {
            filter: "zigbee2mqtt/#".to_owned(),
            access: Access::Write,
        }];
        store
            .set_credential_topics(join.id, &join.topics)
            .await
            .expect("set");
        assert_eq!(store.credentials().await.expect("read"), [join.clone()]);
        for sealed in ["first", "second"] {
            store.keep_sealed(join.id, sealed).await.expect("kept");
        }
        let none = store.keep_sealed(credential_id(9), "x").await;
        assert!(matches!(none, Err(StoreError::NotFound)));
        let kept = store.sealed_passwords().await.expect("read");
        assert_eq!(kept, HashMap::from([(join.id, "second".to_owned())]));
        let none = store
            .set_credential_topics(credential_id(9), &join.topics)
            .await;
        assert!(matches!(none, Err(StoreError::NotFound)));
        let gone = store.delete_credential(join.id).await.expect("deleted");
        assert_eq!(gone.as_deref(), Some("zigbee"));
        let kept = store.sealed_passwords().await.expect("read");
        assert!(kept.is_empty(), "it goes with its credential");
        let gone = store.delete_credential(join.id).await.expect("nothing");
        assert_eq!(gone, None);
        let rotated = store.rotate_credential(join.id, "x").await;
        assert!(!rotated.expect("an answer"));
    })
    .await;
}

fn waiting(id: &str, status: NewStatus) -> NewDevice {
    NewDevice {
        id: id.to_owned(),
        identity: vec![format!("id:{id}")],
        name: id.to_owned(),
        status,
        reason: (status == NewStatus::Conflict).then(|| "another's topic".to_owned()),
        announced: vec![AnnouncedConfig {
            topic: format!("homeassistant/device/{id}/config"),
            hash: "cafe".to_owned(),
            payload: "{\"name\":\"Ofen\"}".to_owned(),
        }],
        first_seen_at: NOW,
        last_seen_at: NOW,
    }
}

#[tokio::test]
async fn ten_thousand_announcements_wait_in_one_go_and_change_in_the_next() {
    on_both(async |store| {
        let many: Vec<_> = (0..10_000)
            .map(|n| waiting(&format!("device{n:05}"), NewStatus::New))
            .collect();
        store.put_new_devices(&many).await.expect("put");
        assert_eq!(store.new_devices().await.expect("read"), many);
        let change = [
            waiting("device00000", NewStatus::Ignored),
            waiting("device00000", NewStatus::Conflict),
        ];
        store.put_new_devices(&change).await.expect("put");
        let read = store.new_devices().await.expect("read");
        assert_eq!(read[0], change[1]);
        assert!(store.delete_new_device("device00001").await.expect("gone"));
        assert!(!store.delete_new_device("device00001").await.expect("gone"));
        assert_eq!(store.new_devices().await.expect("read").len(), 9_999);
    })
    .await;
}

#[tokio::test]
async fn the_audit_log_reads_backwards_in_pages_and_is_pruned() {
    on_both(async |store| {
        let entries: Vec<_> = (0..1_000)
            .map(|n| AuditEntry {
                at: NOW.plus_millis(n),
                user: (n % 2 == 0).then(|| make::user_id(1)),
                name: "eve".to_owned(),
                action: "sign_in".to_owned(),
                target: n.to_string(),
                detail: serde_json::json!({"address": "192.0.2.1"}),
            })
            .collect();
        store.write_audit(&entries).await.expect("written");
        let page = store.audit(2, None).await.expect("read");
        assert_eq!(page[0].1, entries[999]);
        let next = store.audit(2, Some(page[1].0)).await.expect("read");
        assert_eq!(next[0].1, entries[997]);
        let pruned = store.prune_audit(NOW.plus_millis(990)).await;
        assert_eq!(pruned.expect("pruned"), 990);
        assert_eq!(store.audit(50, None).await.expect("read").len(), 10);
    })
    .await;
}
