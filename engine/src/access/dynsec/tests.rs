//! The difference between broker and house, on a broker made of maps.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use super::answer::{Listed, ListedRole};
use super::*;
use crate::ids::CredentialId;
use crate::time::Timestamp;
use serde_json::from_value;

fn house() -> House {
    House::new("h1")
}

fn credential(n: u8, username: &str, digest: &str) -> Credential {
    Credential {
        id: CredentialId::new(Timestamp::from_millis(1), [n; 10]),
        username: username.to_owned(),
        name: username.to_owned(),
        device: None,
        secret_sha256: digest.to_owned(),
        topics: vec![
            TopicRule::write(format!("iothome/{username}/#")),
            TopicRule::read(format!("iothome/{username}/+/set")),
        ],
        created_at: Timestamp::from_millis(1),
    }
}

fn wanted(n: u8, username: &str, digest: &str) -> Wanted {
    Wanted::of(&credential(n, username, digest), true)
}

/// Does what the plugin does with these steps.
fn perform(found: &mut Found, steps: &[Step], wanted: &[Wanted]) {
    for step in steps {
        let account = wanted
            .iter()
            .find(|w| Some(&*w.username) == step.username());
        let command = step.command(&house(), account, Some("secret"));
        match step {
            Step::DeleteAccount(name) => assert!(found.accounts.remove(name).is_some()),
            Step::DeleteRole(name) => assert!(found.roles.remove(name).is_some()),
            Step::Role { new, name, .. } => {
                let role: ListedRole = from_value(command).unwrap();
                let before = found.roles.insert(name.clone(), role);
                assert_eq!(before.is_none(), *new);
            }
            Step::Create(name) | Step::Password(name) | Step::Mend(name) => {
                let has_password = command.get("password").is_some();
                assert_eq!(has_password, !matches!(step, Step::Mend(_)));
                let account: Listed = from_value(command).unwrap();
                let roles = &found.roles;
                assert!(
                    account
                        .roles
                        .iter()
                        .all(|r| roles.contains_key(&r.rolename))
                );
                let before = found.accounts.insert(name.clone(), account);
                assert_eq!(before.is_none(), matches!(step, Step::Create(_)));
            }
            Step::Enable(name) => found.accounts.get_mut(name).unwrap().disabled = false,
        }
    }
}

/// Brings the broker to what is wanted, and sees that nothing is left to do.
fn settle(found: &mut Found, wanted: &[Wanted]) -> Planned {
    let planned = plan(&house(), wanted, found);
    perform(found, &planned.steps, wanted);
    let again = plan(&house(), wanted, found);
    assert_eq!(again.steps, [], "a second look has nothing to do");
    assert_eq!(again.faults, planned.faults);
    planned
}

fn foreign(username: &str) -> Listed {
    Listed {
        username: username.to_owned(),
        description: "iothome:h11".to_owned(),
        ..Listed::default()
    }
}

#[test]
fn reading_needs_subscription_and_delivery_and_each_line_stands_once() {
    let rules = [
        TopicRule::read("b/+/set"),
        TopicRule::write("a/#"),
        TopicRule::write("a/#"),
    ];
    let acls = acls(&rules);
    let told: Vec<_> = acls.iter().map(|a| (&*a.acltype, &*a.topic)).collect();
    assert_eq!(
        told,
        [
            ("publishClientReceive", "b/+/set"),
            ("publishClientSend", "a/#"),
            ("subscribePattern", "b/+/set"),
        ]
    );
    assert!(acls.iter().all(|acl| acl.allow));
}

#[test]
fn a_fresh_broker_gets_every_account_and_then_there_is_nothing_to_do() {
    let mut found = Found::default();
    found
        .accounts
        .insert("iothome-hub".into(), foreign("iothome-hub"));
    let all = [wanted(1, "fridge", "aa"), wanted(2, "lamp", "bb")];
    let planned = settle(&mut found, &all);
    assert_eq!(planned.foreign, ["iothome-hub"]);
    assert_eq!(planned.steps.len(), 4);
    assert_eq!((found.accounts.len(), found.roles.len()), (3, 2));
}

#[test]
fn what_the_house_did_not_make_stays_as_it_is_also_under_a_wanted_name() {
    let mut found = Found::default();
    for name in ["fridge", "admin"] {
        found.accounts.insert(name.into(), foreign(name));
    }
    found.roles.insert(
        "iothome.other".into(),
        ListedRole {
            rolename: "iothome.other".into(),
            description: "iothome:h2".into(),
            acls: Vec::new(),
        },
    );
    let before = found.clone();
    let planned = settle(&mut found, &[wanted(1, "fridge", "aa")]);
    assert_eq!(found, before);
    assert_eq!(planned.faults.len(), 1);
    assert_eq!(planned.faults[0].kind, FaultKind::Taken);
}

#[test]
fn what_is_left_over_goes_and_what_was_changed_is_mended() {
    let mut found = Found::default();
    let all = [wanted(1, "fridge", "aa"), wanted(2, "lamp", "bb")];
    settle(&mut found, &all);
    let throw_away = Wanted::throw_away("selftest-1", &[TopicRule::write("a")]);
    let made = plan(
        &house(),
        std::slice::from_ref(&throw_away),
        &Found::default(),
    );
    perform(&mut found, &made.steps, &[throw_away]);
    // Somebody opens the lamp's list, puts it into a group, and shuts it out.
    let role = found.roles.get_mut(&all[1].role).unwrap();
    role.acls.push(Acl::allow("publishClientSend", "#"));
    let lamp = found.accounts.get_mut("lamp").unwrap();
    lamp.groups.push("all".into());
    lamp.disabled = true;

    let planned = settle(&mut found, &all[1..]);
    assert_eq!(
        planned.steps[..2],
        [
            Step::DeleteAccount("fridge".into()),
            Step::DeleteAccount("iothome.selftest-1".into())
        ]
    );
    assert_eq!(found.accounts.keys().collect::<Vec<_>>(), ["lamp"]);
    assert_eq!(found.roles.keys().collect::<Vec<_>>(), [&all[1].role]);
    assert_eq!(found.roles[&all[1].role].acls, all[1].acls);
}

#[test]
fn a_new_password_is_told_and_a_narrower_list_ends_connections() {
    let mut found = Found::default();
    settle(&mut found, &[wanted(1, "fridge", "aa")]);
    let rotated = wanted(1, "fridge", "cc");
    let planned = settle(&mut found, std::slice::from_ref(&rotated));
    assert_eq!(planned.steps, [Step::Password("fridge".into())]);

    let mut narrower = rotated.clone();
    narrower.acls.pop();
    let planned = settle(&mut found, std::slice::from_ref(&narrower));
    assert!(matches!(
        &planned.steps[..],
        [Step::Role { new: false, .. }, Step::Mend(_)]
    ));
    let planned = settle(&mut found, &[rotated]);
    assert!(matches!(
        &planned.steps[..],
        [Step::Role { new: false, .. }]
    ));
}

#[test]
fn a_password_that_nobody_knows_any_more_opens_nothing_and_is_told() {
    let lost = Wanted::of(&credential(1, "fridge", "aa"), false);
    let planned = settle(&mut Found::default(), std::slice::from_ref(&lost));
    assert_eq!(planned.steps, []);
    assert_eq!(planned.faults[0].kind, FaultKind::PasswordLost);

    // One that is there with this password needs it no more.
    let mut found = Found::default();
    settle(&mut found, &[wanted(1, "fridge", "aa")]);
    assert_eq!(settle(&mut found, std::slice::from_ref(&lost)).faults, []);
    // One with an older password is shut out.
    settle(&mut found, &[wanted(1, "fridge", "older")]);
    let planned = settle(&mut found, &[lost]);
    assert_eq!(planned.faults[0].kind, FaultKind::PasswordLost);
    assert!(found.accounts.is_empty());
}

#[test]
fn the_plugins_answers_are_read() {
    let text = br#"{"responses":[
        {"command":"getClient","data":{"client":{"username":"f","textname":"n","textdescription":"iothome:h1:x",
            "disabled":true,"roles":[{"rolename":"r","priority":0}],"groups":[]}},"correlationData":"7"},
        {"command":"getRole","error":"Role not found","correlationData":"7"},
        {"command":"getDefaultACLAccess","data":{"acls":[{"acltype":"publishClientSend","allow":true},
            {"acltype":"publishClientReceive","allow":true},{"acltype":"subscribe","allow":false}]}}]}"#;
    let answered = Answered::parse(text).unwrap();
    assert_eq!(answered.number.as_deref(), Some("7"));
    let account = answered.answers[0].account().unwrap();
    assert!(account.disabled && account.roles[0].rolename == "r");
    assert_eq!(answered.answers[1].error.as_deref(), Some("Role not found"));
    assert!(answered.answers[1].role().is_err());
    let open = answered.answers[2].open_defaults().unwrap();
    assert_eq!(open, ["publishClientSend"]);
    assert!(Answered::parse(b"[]").is_err());
}
