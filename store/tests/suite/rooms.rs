//! Rooms, the order of what is in them, favourites and preferences.

use crate::make::{self, NOW, device_id, user_id};
use iothome_engine::policy::Role;
use iothome_store::testing::on_both;
use iothome_store::{DevicePatch, Preferences, Room, RoomPatch, Store, StoreError, Theme};

fn names(rooms: &[Room]) -> Vec<&str> {
    rooms.iter().map(|r| r.name.as_str()).collect()
}

async fn room_of(store: &Store, device: &str) -> (Option<String>, Option<i64>, i64) {
    let read = store.device(&device_id(device)).await.expect("read");
    let read = read.expect("there");
    (read.room, read.position, read.version)
}

#[tokio::test]
async fn a_room_is_there_as_soon_as_a_device_names_it() {
    on_both(async |store| {
        store
            .create_device(&make::device("fridge"), &[])
            .await
            .expect("made");
        let mut oven = make::device("oven");
        oven.room = Some("KÜCHE".to_owned());
        store.create_device(&oven, &[]).await.expect("made");
        let rooms = store.rooms().await.expect("read");
        assert_eq!(names(&rooms), ["Küche"], "names differ by more than case");
        assert_eq!(rooms[0].id.as_str(), "kuche");
        assert_eq!(room_of(&store, "oven").await.0.as_deref(), Some("Küche"));
        let to_hall = DevicePatch {
            room: Some(Some("Flur".to_owned())),
            ..DevicePatch::default()
        };
        store
            .update_device(&oven.id, &to_hall, None)
            .await
            .expect("moved");
        assert_eq!(
            names(&store.rooms().await.expect("read")),
            ["Küche", "Flur"]
        );
    })
    .await;
}

#[tokio::test]
async fn renaming_a_room_renames_it_for_all_its_devices() {
    on_both(async |store| {
        for id in ["fridge", "oven"] {
            let device = make::device(id);
            store.create_device(&device, &[]).await.expect("made");
        }
        let hall = store.create_room("Hall", Some("door")).await.expect("made");
        assert_eq!((hall.position, hall.icon.as_deref()), (1, Some("door")));
        let kitchen = store.rooms().await.expect("read")[0].clone();
        let rename = RoomPatch {
            name: Some("Kitchen".to_owned()),
            ..RoomPatch::default()
        };
        let (renamed, moved) = store
            .update_room(&kitchen.id, &rename, Some(1))
            .await
            .expect("renamed");
        assert_eq!((renamed.name.as_str(), renamed.version), ("Kitchen", 2));
        assert_eq!(renamed.id, kitchen.id, "the id stays");
        assert_eq!(moved.len(), 2);
        assert_eq!(
            room_of(&store, "oven").await,
            (Some("Kitchen".into()), None, 2)
        );
        let stale = store.update_room(&kitchen.id, &rename, Some(1)).await;
        assert!(matches!(stale, Err(StoreError::Stale)));
        let clash = RoomPatch {
            name: Some("hALL".to_owned()),
            ..RoomPatch::default()
        };
        let taken = store.update_room(&kitchen.id, &clash, None).await;
        assert!(matches!(taken, Err(StoreError::Taken { .. })));
        let twin = store.create_room("HALL", None).await;
        assert!(matches!(twin, Err(StoreError::Taken { .. })));
        let (same, moved) = store
            .update_room(&hall.id, &clash, None)
            .await
            .expect("its own name in another case");
        assert_eq!((same.name.as_str(), moved.len()), ("hALL", 0));
    })
    .await;
}

#[tokio::test]
async fn devices_of_a_deleted_room_keep_no_room_and_no_place() {
    on_both(async |store| {
        let fridge = make::device("fridge");
        store.create_device(&fridge, &[]).await.expect("made");
        store
            .order_devices(std::slice::from_ref(&fridge.id))
            .await
            .expect("placed");
        let room = store.rooms().await.expect("read")[0].id.clone();
        let left = store.delete_room(&room, None).await.expect("gone");
        assert_eq!(left, [fridge.id]);
        assert_eq!(room_of(&store, "fridge").await, (None, None, 3));
        assert!(store.rooms().await.expect("read").is_empty());
        let again = store.delete_room(&room, None).await;
        assert!(matches!(again, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn rooms_and_devices_stand_where_they_were_put() {
    on_both(async |store| {
        let mut ids = Vec::new();
        for name in ["Attic", "Bath", "Cellar"] {
            ids.push(store.create_room(name, None).await.expect("made").id);
        }
        let order = [ids[2].clone(), ids[0].clone()];
        store.order_rooms(&order).await.expect("ordered");
        let rooms = store.rooms().await.expect("read");
        assert_eq!(names(&rooms), ["Cellar", "Attic", "Bath"]);
        let none = ["nowhere".parse().expect("an id")];
        let missing = store.order_rooms(&none).await;
        assert!(matches!(missing, Err(StoreError::NotFound)));

        let (lamp, fan) = (make::device("lamp"), make::device("fan"));
        for device in [&lamp, &fan] {
            store.create_device(device, &[]).await.expect("made");
        }
        let order = [lamp.id.clone(), fan.id.clone()];
        assert_eq!(store.order_devices(&order).await.expect("placed"), order);
        let same = store.order_devices(&order).await.expect("nothing to do");
        assert!(same.is_empty());
        assert_eq!(room_of(&store, "fan").await.1, Some(1));
        let moved = DevicePatch {
            room: Some(Some("Bath".to_owned())),
            icon: Some(Some("fan".to_owned())),
            ..DevicePatch::default()
        };
        store
            .update_device(&fan.id, &moved, None)
            .await
            .expect("moved");
        let read = store.device(&fan.id).await.expect("read").expect("there");
        assert_eq!((read.position, read.icon.as_deref()), (None, Some("fan")));
    })
    .await;
}

#[tokio::test]
async fn favourites_keep_their_order_and_go_with_device_and_user() {
    on_both(async |store| {
        let eve = make::user(1, "eve", Role::Member);
        store.create_user(&eve).await.expect("made");
        let adam = make::user(2, "adam", Role::Admin);
        store.create_user(&adam).await.expect("made");
        for id in ["lamp", "fan", "door"] {
            let device = make::device(id);
            store.create_device(&device, &[]).await.expect("made");
        }
        let [lamp, fan, door] = ["lamp", "fan", "door"].map(device_id);
        for device in [&lamp, &door, &lamp, &fan] {
            store.add_favourite(eve.id, device).await.expect("added");
        }
        let read = store.favourites(eve.id).await.expect("read");
        assert_eq!(read, [lamp.clone(), door.clone(), fan.clone()]);
        let order = [fan.clone(), lamp.clone()];
        store.set_favourites(eve.id, &order).await.expect("set");
        store.delete_device(&fan, NOW).await.expect("deleted");
        let read = store.favourites(eve.id).await.expect("read");
        assert_eq!(read, std::slice::from_ref(&lamp));
        let gone = store.add_favourite(eve.id, &fan).await;
        assert!(matches!(gone, Err(StoreError::NotFound)));
        let nobody = store.add_favourite(user_id(9), &lamp).await;
        assert!(matches!(nobody, Err(StoreError::NotFound)));
        let bad = store.set_favourites(eve.id, &[door.clone(), fan]).await;
        assert!(matches!(bad, Err(StoreError::NotFound)));
        let read = store.favourites(eve.id).await.expect("read");
        assert_eq!(
            read,
            std::slice::from_ref(&lamp),
            "what failed changed nothing"
        );
        assert!(store.favourites(adam.id).await.expect("read").is_empty());
        assert!(store.remove_favourite(eve.id, &lamp).await.expect("gone"));
        assert!(!store.remove_favourite(eve.id, &lamp).await.expect("gone"));
        store.add_favourite(eve.id, &door).await.expect("added");
        store.delete_user(eve.id).await.expect("deleted");
        assert!(store.favourites(eve.id).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn preferences_are_kept_until_they_are_changed_or_the_user_goes() {
    on_both(async |store| {
        let eve = make::user(1, "eve", Role::Member);
        store.create_user(&eve).await.expect("made");
        let none = store.preferences(eve.id).await.expect("read");
        assert_eq!(none, Preferences::default());
        let dark = Preferences {
            language: Some("de".to_owned()),
            theme: Some(Theme::Dark),
        };
        store.set_preferences(eve.id, &dark).await.expect("kept");
        assert_eq!(store.preferences(eve.id).await.expect("read"), dark);
        let auto = Preferences {
            theme: None,
            ..dark
        };
        store.set_preferences(eve.id, &auto).await.expect("kept");
        assert_eq!(store.preferences(eve.id).await.expect("read"), auto);
        let nobody = store.set_preferences(user_id(9), &auto).await;
        assert!(matches!(nobody, Err(StoreError::NotFound)));
        let adam = make::user(2, "adam", Role::Admin);
        store.create_user(&adam).await.expect("made");
        store.delete_user(eve.id).await.expect("deleted");
        let gone = store.preferences(eve.id).await.expect("read");
        assert_eq!(gone, Preferences::default());
    })
    .await;
}
