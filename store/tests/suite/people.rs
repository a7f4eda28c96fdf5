//! Home, users, grants, sessions.

use crate::make::{self, NOW, session_id, user_id};
use iothome_engine::policy::{Right, Rights, Role};
use iothome_store::testing::{TestStore, on_both};
use iothome_store::{Home, NewPassword, SESSIONS_MAX, SessionRow, StoreError, UserPatch};
use std::collections::HashSet;

fn home() -> Home {
    Home {
        name: "Am Hang".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        latitude: Some(52.5),
        longitude: None,
        set_up_at: NOW,
    }
}

fn demote() -> UserPatch {
    UserPatch {
        role: Some(Role::Member),
        ..UserPatch::default()
    }
}

#[tokio::test]
async fn the_home_is_set_up_once_with_its_administrator() {
    on_both(async |store| {
        assert_eq!(store.home().await.expect("read"), None);
        assert!(matches!(
            store.set_home(&home()).await,
            Err(StoreError::NotFound)
        ));
        let admin = make::user(1, "Adam", Role::Admin);
        assert!(store.set_up(&home(), &admin).await.expect("set up"));
        let again = make::user(2, "Mallory", Role::Admin);
        assert!(!store.set_up(&home(), &again).await.expect("not again"));
        assert_eq!(store.home().await.expect("read"), Some(home()));
        assert_eq!(store.users(10, None).await.expect("read").len(), 1);
        let moved = Home {
            zone: "UTC".to_owned(),
            ..home()
        };
        store.set_home(&moved).await.expect("moved");
        assert_eq!(store.home().await.expect("read"), Some(moved));
    })
    .await;
}

#[tokio::test]
async fn of_many_who_set_up_at_once_one_does() {
    on_both(async |store| {
        let tries: Vec<_> = (0..8)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    let admin = make::user(n, &format!("admin{n}"), Role::Admin);
                    store.set_up(&home(), &admin).await.expect("an answer")
                })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            won += usize::from(one.await.expect("no panic"));
        }
        assert_eq!(won, 1);
        assert_eq!(store.users(10, None).await.expect("read").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_set_up_whose_administrator_fails_leaves_no_home() {
    on_both(async |store| {
        let adam = make::user(1, "adam", Role::Admin);
        store.create_user(&adam).await.expect("made");
        let twin = make::user(2, "ADAM", Role::Admin);
        let error = store.set_up(&home(), &twin).await.expect_err("a twin");
        assert!(matches!(error, StoreError::Taken { .. }), "{error:?}");
        assert_eq!(store.home().await.expect("read"), None);
    })
    .await;
}

#[tokio::test]
async fn names_differ_in_more_than_case() {
    on_both(async |store| {
        let jorg = make::user(1, "Jörg", Role::Admin);
        store.create_user(&jorg).await.expect("made");
        let twin = make::user(2, "JÖRG", Role::Member);
        let error = store.create_user(&twin).await.expect_err("a twin");
        assert!(matches!(error, StoreError::Taken { .. }), "{error:?}");
        let (found, hash) = store
            .user_by_name("jÖrG")
            .await
            .expect("read")
            .expect("there");
        assert_eq!(
            (found.name.as_str(), hash.as_str()),
            ("Jörg", "hash of Jörg")
        );
        let eve = make::user(3, "eve", Role::Member);
        store.create_user(&eve).await.expect("made");
        let rename = UserPatch {
            name: Some("JÖRG".to_owned()),
            ..UserPatch::default()
        };
        let error = store.update_user(eve.id, &rename, None).await;
        assert!(matches!(error, Err(StoreError::Taken { .. })));
        // The same name in another case is still one's own.
        let own = store.update_user(jorg.id, &rename, None).await;
        assert_eq!(own.expect("renamed").name, "JÖRG");
    })
    .await;
}

#[tokio::test]
async fn a_stale_version_changes_nothing() {
    on_both(async |store| {
        let eve = make::user(1, "eve", Role::Member);
        store.create_user(&eve).await.expect("made");
        let rename = UserPatch {
            name: Some("Eva".to_owned()),
            ..UserPatch::default()
        };
        let changed = store.update_user(eve.id, &rename, Some(1)).await;
        assert_eq!(changed.expect("changed").version, 2);
        let stale = store.update_user(eve.id, &demote(), Some(1)).await;
        assert!(matches!(stale, Err(StoreError::Stale)));
        let none = store.update_user(user_id(9), &rename, Some(1)).await;
        assert!(matches!(none, Err(StoreError::NotFound)));
        let read = store.user(eve.id).await.expect("read").expect("there");
        assert_eq!((read.name.as_str(), read.version), ("Eva", 2));
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_stays() {
    on_both(async |store| {
        let adam = make::user(1, "adam", Role::Admin);
        let ada = make::user(2, "ada", Role::Admin);
        store.create_user(&adam).await.expect("made");
        store.create_user(&ada).await.expect("made");
        let disable = UserPatch {
            disabled: Some(true),
            ..UserPatch::default()
        };
        store
            .update_user(ada.id, &disable, None)
            .await
            .expect("there is another");
        assert_eq!(store.count_admins().await.expect("read"), 1);
        for patch in [&disable, &demote()] {
            let last = store.update_user(adam.id, patch, None).await;
            assert!(matches!(last, Err(StoreError::LastAdmin)));
        }
        let last = store.delete_user(adam.id).await;
        assert!(matches!(last, Err(StoreError::LastAdmin)));
        let read = store.user(adam.id).await.expect("read").expect("there");
        assert_eq!((read.role, read.disabled), (Role::Admin, false));
        store.delete_user(ada.id).await.expect("she is disabled");
        let gone = store.delete_user(ada.id).await;
        assert!(matches!(gone, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_who_demote_each_other_leave_one() {
    on_both(async |store| {
        for n in 0..2 {
            let admin = make::user(n, &format!("admin{n}"), Role::Admin);
            store.create_user(&admin).await.expect("made");
        }
        // Many rounds, so that on some the two truly meet.
        for _ in 0..50 {
            let demote = |n| {
                let store = store.store.clone();
                tokio::spawn(async move { store.update_user(user_id(n), &demote(), None).await })
            };
            let (left, right) = tokio::join!(demote(0), demote(1));
            let both = [left.expect("no panic"), right.expect("no panic")];
            let refused = both
                .iter()
                .filter(|one| matches!(one, Err(StoreError::LastAdmin)));
            assert_eq!(refused.count(), 1, "{both:?}");
            assert_eq!(store.count_admins().await.expect("read"), 1);
            for n in 0..2 {
                let promote = UserPatch {
                    role: Some(Role::Admin),
                    ..UserPatch::default()
                };
                let promoted = store.update_user(user_id(n), &promote, None).await;
                promoted.expect("promoted");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn users_come_in_pages_and_passwords_change() {
    on_both(async |store| {
        for n in 0..5 {
            let user = make::user(n, &format!("user{n}"), Role::Member);
            store.create_user(&user).await.expect("made");
        }
        let first = store.users(3, None).await.expect("read");
        let rest = store.users(3, Some(first[2].id)).await.expect("read");
        let names: Vec<_> = first.iter().chain(&rest).map(|u| u.name.as_str()).collect();
        assert_eq!(names, ["user0", "user1", "user2", "user3", "user4"]);
        store.set_password(user_id(2), "new").await.expect("set");
        let hash = store.password_hash(user_id(2)).await.expect("read");
        assert_eq!(hash.as_deref(), Some("new"));
        let nobody = store.set_password(user_id(99), "new").await;
        assert!(matches!(nobody, Err(StoreError::NotFound)));
    })
    .await;
}

async fn with_user_and_device(store: &TestStore) {
    let eve = make::user(1, "eve", Role::Member);
    store.create_user(&eve).await.expect("made");
    let fridge = make::device("fridge");
    store.create_device(&fridge, &[]).await.expect("made");
}

#[tokio::test]
async fn a_grant_joins_a_user_and_a_device_that_are_there() {
    on_both(async |store| {
        with_user_and_device(&store).await;
        let (eve, fridge) = (user_id(1), make::device_id("fridge"));
        let control = Rights::of(&[Right::Control]);
        store
            .set_grant(eve, &fridge, Rights::ALL)
            .await
            .expect("set");
        store
            .set_grant(eve, &fridge, control)
            .await
            .expect("replaced");
        let grants = store.grants_of(eve).await.expect("read");
        assert_eq!(grants.get(&fridge), Some(&control));
        let on = store.grants_on(&fridge, 10, None).await.expect("read");
        assert_eq!(on, [(eve, control)]);
        let nobody = store.set_grant(user_id(9), &fridge, control).await;
        assert!(matches!(nobody, Err(StoreError::NotFound)));
        let nothing = store.set_grant(eve, &make::device_id("no"), control).await;
        assert!(matches!(nothing, Err(StoreError::NotFound)));
        assert!(store.remove_grant(eve, &fridge).await.expect("removed"));
        assert!(!store.remove_grant(eve, &fridge).await.expect("gone"));
    })
    .await;
}

#[tokio::test]
async fn grants_go_with_the_user_and_with_the_device() {
    on_both(async |store| {
        with_user_and_device(&store).await;
        let (eve, fridge) = (user_id(1), make::device_id("fridge"));
        store
            .set_grant(eve, &fridge, Rights::ALL)
            .await
            .expect("set");
        store.delete_device(&fridge, NOW).await.expect("deleted");
        assert!(store.grants_of(eve).await.expect("read").is_empty());
        let gone = store.set_grant(eve, &fridge, Rights::ALL).await;
        assert!(matches!(gone, Err(StoreError::NotFound)));
        let lamp = make::device("lamp");
        store.create_device(&lamp, &[]).await.expect("made");
        store
            .set_grant(eve, &lamp.id, Rights::ALL)
            .await
            .expect("set");
        store.delete_user(eve).await.expect("deleted");
        assert!(
            store
                .grants_on(&lamp.id, 10, None)
                .await
                .expect("read")
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn of_many_refreshes_with_one_token_one_rotates() {
    on_both(async |store| {
        with_user_and_device(&store).await;
        let session = make::session(1, user_id(1));
        store.create_session(&session).await.expect("made");
        let tries: Vec<_> = (0..10)
            .map(|n| {
                let (store, to) = (store.clone(), format!("successor{n}"));
                tokio::spawn(async move {
                    store
                        .rotate_session(session_id(1), "first", &to, NOW)
                        .await
                        .expect("an answer")
                        .then_some(to)
                })
            })
            .collect();
        let mut winners = HashSet::new();
        for one in tries {
            winners.extend(one.await.expect("no panic"));
        }
        let row = store.session(session_id(1)).await.expect("read");
        let row = row.expect("there");
        assert_eq!(winners, HashSet::from([row.refresh_sha256]));
        assert_eq!(row.previous_sha256.as_deref(), Some("first"));
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_once_and_is_not_used_after() {
    on_both(async |store| {
        with_user_and_device(&store).await;
        let eve = user_id(1);
        for n in 1..=3 {
            let session = make::session(n, eve);
            store.create_session(&session).await.expect("made");
        }
        let (soon, later) = (NOW.plus_millis(60_000), NOW.plus_millis(120_000));
        store.end_session(session_id(1), soon).await.expect("ended");
        store
            .end_session(session_id(1), later)
            .await
            .expect("no work");
        store
            .touch_session(session_id(1), later)
            .await
            .expect("no work");
        let row = store.session(session_id(1)).await.expect("read");
        let row = row.expect("there");
        assert_eq!((row.ended_at, row.last_used_at), (Some(soon), NOW));
        let rotated = store.rotate_session(row.id, "first", "x", later).await;
        assert!(!rotated.expect("an answer"));
        let spared = Some(session_id(2));
        let ended = store.end_sessions_of(eve, spared, later).await;
        assert_eq!(ended.expect("ended"), [session_id(3)]);
        let left = store.sessions_of(eve).await.expect("read");
        assert_eq!(left, [make::session(2, eve)]);
    })
    .await;
}

#[tokio::test]
async fn a_user_has_a_bounded_number_of_sessions_and_the_longest_unused_go() {
    on_both(async |store| {
        with_user_and_device(&store).await;
        let eve = user_id(1);
        let count = u32::try_from(SESSIONS_MAX).expect("small") + 2;
        for n in 0..count {
            let session = SessionRow {
                last_used_at: NOW.plus_millis(n.into()),
                ..make::session(n, eve)
            };
            store.create_session(&session).await.expect("made");
        }
        let listed = store.sessions_of(eve).await.expect("read");
        assert_eq!(listed.len(), SESSIONS_MAX);
        let mut ended = store
            .end_surplus_sessions_of(eve, NOW)
            .await
            .expect("ended");
        ended.sort();
        assert_eq!(ended, [session_id(0), session_id(1)]);
        let again = store.end_surplus_sessions_of(eve, NOW).await;
        assert_eq!(again.expect("nothing to do"), []);
    })
    .await;
}

#[tokio::test]
async fn name_role_and_password_change_together_or_not_at_all() {
    on_both(async |store| {
        with_user_and_device(&store).await;
        let (eve, adam) = (user_id(1), make::user(2, "adam", Role::Admin));
        store.create_user(&adam).await.expect("made");
        for n in 1..=2 {
            let session = make::session(n, eve);
            store.create_session(&session).await.expect("made");
        }
        let password = NewPassword {
            hash: "new".to_owned(),
            spared: Some(session_id(2)),
            at: NOW,
        };
        let taken = UserPatch {
            name: Some("ADAM".to_owned()),
            ..UserPatch::default()
        };
        let refused = store
            .update_user_and_password(eve, &taken, None, &password)
            .await;
        assert!(matches!(refused, Err(StoreError::Taken { .. })));
        let hash = store.password_hash(eve).await.expect("read");
        assert_eq!(hash.as_deref(), Some("hash of eve"));
        assert_eq!(store.sessions_of(eve).await.expect("read").len(), 2);
        let promote = UserPatch {
            role: Some(Role::Admin),
            ..UserPatch::default()
        };
        let changed = store
            .update_user_and_password(eve, &promote, Some(1), &password)
            .await;
        let (user, ended) = changed.expect("changed");
        assert_eq!((user.role, user.version), (Role::Admin, 2));
        assert_eq!(ended, [session_id(1)]);
        let hash = store.password_hash(eve).await.expect("read");
        assert_eq!(hash.as_deref(), Some("new"));
    })
    .await;
}

#[tokio::test]
async fn many_grants_are_set_together_or_not_at_all() {
    on_both(async |store| {
        with_user_and_device(&store).await;
        let (eve, fridge) = (user_id(1), make::device_id("fridge"));
        let all = [
            (eve, fridge.clone(), Rights::ALL),
            (eve, make::device_id("nowhere"), Rights::ALL),
        ];
        let refused = store.set_grants(&all).await;
        assert!(matches!(refused, Err(StoreError::NotFound)));
        assert!(store.grants_of(eve).await.expect("read").is_empty());
        store.set_grants(&all[..1]).await.expect("set");
        assert_eq!(
            store.grants_of(eve).await.expect("read")[&fridge],
            Rights::ALL
        );
        let none = [(eve, fridge, Rights::NONE)];
        store.set_grants(&none).await.expect("taken away");
        assert!(store.grants_of(eve).await.expect("read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn old_sessions_are_dropped_and_nobody_has_none() {
    on_both(async |store| {
        with_user_and_device(&store).await;
        let orphan = store.create_session(&make::session(9, user_id(9))).await;
        assert!(matches!(orphan, Err(StoreError::NotFound)));
        for n in 1..=2 {
            let session = make::session(n, user_id(1));
            store.create_session(&session).await.expect("made");
        }
        store.end_session(session_id(1), NOW).await.expect("ended");
        let day = NOW.plus_millis(86_400_000);
        assert_eq!(store.prune_sessions(day).await.expect("pruned"), 0);
        let more = day.plus_millis(1);
        assert_eq!(store.prune_sessions(more).await.expect("pruned"), 1);
        let expired = NOW.plus_millis(91 * 86_400_000);
        assert_eq!(store.prune_sessions(expired).await.expect("pruned"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_setting_made_by_two_at_once_is_the_same_for_both() {
    on_both(async |store| {
        let (left, right) = tokio::join!(
            store.set_setting_if_absent("installation", "left"),
            store.set_setting_if_absent("installation", "right"),
        );
        let stands = store.setting("installation").await.expect("read");
        let stands = stands.expect("there");
        assert_eq!(
            (left.expect("set"), right.expect("set")),
            (stands.clone(), stands)
        );
        store
            .set_setting("installation", "other")
            .await
            .expect("set");
        let again = store.set_setting_if_absent("installation", "x").await;
        assert_eq!(again.expect("read"), "other");
        assert_eq!(store.setting("nothing").await.expect("read"), None);
    })
    .await;
}
