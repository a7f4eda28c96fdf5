//! A house in one file, and back, by the program itself.

use super::{data, rows};
use crate::embedded::{create, obedient, socket};
use crate::support::api::Api;
use crate::support::eventually;
use crate::support::hub::{Hub, Start, folder, run, run_with_input, stderr, stdout};
use iothome_store::DatabaseUrl;
use iothome_store::testing::PgServer;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A command that has to work.
async fn works(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments).await;
    let (said, complaint) = (stdout(&output), stderr(&output));
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    said
}

/// A command that has to be refused; gives why.
async fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments).await;
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    stderr(&output)
}

/// A hub with a person, a device and something said by it.
async fn lived_in(folder: &Path) -> (Hub, Api) {
    let hub = Start::serve().on(folder).await;
    let api = Api::set_up(&hub).await;
    let door = create(&hub, &api, socket("Socket")).await;
    let device = obedient(&door);
    device
        .report("esp8266/socket/status", "{\"relay\": 0}", true)
        .await;
    api.wait_for_state("socket", "power", &json!("off")).await;
    (hub, api)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_moves_to_a_new_machine_while_it_is_written_to_and_devices_keep_their_pins() {
    let (old, new) = (folder(), folder());
    let (hub, api) = lived_in(old.path()).await;
    let sha256 = hub.banner("sha256").to_owned();
    let ca = std::fs::read(hub.banner("ca")).expect("a CA");

    // Somebody keeps asking for things while the backup is taken.
    let asked = Arc::new(AtomicU32::new(0));
    let asking = tokio::spawn({
        let (api, asked) = (api.clone(), Arc::clone(&asked));
        async move {
            loop {
                let path = "/api/v1/devices/socket/entities/power/commands";
                let (status, _) = api.post(path, json!({"action": "turn_on"})).await;
                assert!(status.is_success() || status == 429, "{status}");
                asked.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    eventually("commands are written", || async {
        (asked.load(Ordering::Relaxed) > 20).then_some(())
    })
    .await;
    let retained = data(old.path()).join("broker/retained.jsonl");
    eventually("the broker keeps what the device left", || async {
        let kept = std::fs::read_to_string(&retained).unwrap_or_default();
        kept.contains("esp8266/socket/status").then_some(())
    })
    .await;
    let file = old.path().join("house.backup");
    let to = text(&file);
    let said = works(old.path(), &["backup", "--to", &to]).await;
    assert!(said.contains("not sealed"), "{said}");
    let mode = std::fs::metadata(&file)
        .expect("written")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let complaint = refused(old.path(), &["restore", &to, "--force"]).await;
    assert!(complaint.contains("another hub"), "{complaint}");
    asking.abort();
    assert_eq!(hub.stop().await, Some(0));

    let said = works(new.path(), &["restore", &to]).await;
    assert!(said.contains("signs in again"), "{said}");
    let hub = Start::serve().on(new.path()).await;
    assert_eq!(hub.banner("sha256"), sha256, "firmware pins this");
    assert_eq!(std::fs::read(hub.banner("ca")).expect("a CA"), ca);
    assert_eq!(hub.told("setup_code"), None, "it is set up");
    let stranger = Api::stranger(&hub);
    let api = stranger.sign_in("adam", "correct horse battery").await;
    let names: Vec<Value> = api.devices().await;
    assert_eq!(names[0]["id"], "socket");
    // What the device had left at the broker is there too.
    api.wait_for_state("socket", "power", &json!("off")).await;
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_backup_goes_to_postgresql_and_back_by_the_same_two_commands() {
    let (first, second, third) = (folder(), folder(), folder());
    let (hub, _) = lived_in(first.path()).await;
    assert_eq!(hub.stop().await, Some(0));
    let secret = first.path().join("passphrase");
    std::fs::write(&secret, "staple battery horse\n").expect("written");
    let (secret, server) = (text(&secret), PgServer::shared().new_database());
    let backups = [first.path().join("one"), first.path().join("two")];
    let [one, two] = backups.map(|path| text(&path));

    let seal = ["--passphrase-file", &secret];
    let said = works(first.path(), &["backup", "--to", &one, seal[0], seal[1]]).await;
    assert!(said.contains("sealed with"), "{said}");
    let on_server = ["--database-url", &server, seal[0], seal[1]];
    works(
        second.path(),
        &[&["restore", &one][..], &on_server].concat(),
    )
    .await;
    works(
        second.path(),
        &[&["backup", "--to", &two][..], &on_server].concat(),
    )
    .await;
    works(third.path(), &["restore", &two, seal[0], seal[1]]).await;

    let files =
        |folder: &Path| DatabaseUrl::sqlite(&data(folder).join("house.db")).expect("a file name");
    let expected = rows(&files(first.path())).await;
    let server = DatabaseUrl::parse(&server).expect("an address");
    assert!(expected.len() > 10);
    assert_eq!(expected, rows(&server).await);
    assert_eq!(expected, rows(&files(third.path())).await);
    let key = |folder: &Path| std::fs::read(data(folder).join("tls/ca.key")).expect("a key");
    assert_eq!(key(first.path()), key(third.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_backup_or_a_house_that_is_there_changes_nothing() {
    let (old, new) = (folder(), folder());
    let (hub, _) = lived_in(old.path()).await;
    assert_eq!(hub.stop().await, Some(0));
    let (plain, sealed) = (old.path().join("plain"), old.path().join("sealed"));
    let secret = old.path().join("passphrase");
    std::fs::write(&secret, "staple battery horse").expect("written");
    let (plain_to, sealed_to, secret) = (text(&plain), text(&sealed), text(&secret));
    works(old.path(), &["backup", "--to", &plain_to]).await;
    let seal = ["--passphrase-file", secret.as_str()];
    let line = [&["backup", "--to", &sealed_to][..], &seal].concat();
    works(old.path(), &line).await;

    let wrong = text(&old.path().join("wrong"));
    std::fs::write(&wrong, "staple battery house").expect("written");
    let cut = text(&old.path().join("cut"));
    let whole = std::fs::read(&plain).expect("read");
    std::fs::write(&cut, &whole[..whole.len() - 20]).expect("written");
    let flipped = text(&old.path().join("flipped"));
    let mut bytes = std::fs::read(&sealed).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&flipped, bytes).expect("written");
    let none = text(&old.path().join("passphrase"));
    for (line, words) in [
        (vec!["restore", &sealed_to], "--passphrase-file"),
        (
            vec!["restore", &sealed_to, seal[0], &wrong],
            "passphrase is not",
        ),
        (vec!["restore", &cut], "cut off"),
        (vec!["restore", &flipped, seal[0], seal[1]], "damaged"),
        (vec!["restore", &none], "no backup"),
        (vec!["restore", "/nowhere"], "/nowhere"),
    ] {
        let complaint = refused(new.path(), &line).await;
        assert!(complaint.contains(words), "{line:?}: {complaint}");
        assert!(!data(new.path()).exists(), "{line:?} made something");
    }

    // Now there is a house, and it is not overwritten unless that is said.
    let (hub, _) = lived_in(new.path()).await;
    assert_eq!(hub.stop().await, Some(0));
    let house = DatabaseUrl::sqlite(&data(new.path()).join("house.db")).expect("a file name");
    let before = rows(&house).await;
    let complaint = refused(new.path(), &["restore", &plain_to]).await;
    assert!(complaint.contains("--force"), "{complaint}");
    let complaint = refused(new.path(), &["restore", &cut, "--force"]).await;
    assert!(complaint.contains("nothing was changed"), "{complaint}");
    assert_eq!(before, rows(&house).await);
    works(new.path(), &["restore", &plain_to, "--force"]).await;
    let source = DatabaseUrl::sqlite(&data(old.path()).join("house.db")).expect("a file name");
    assert_eq!(rows(&source).await, rows(&house).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_cut_short_is_not_started_upon() {
    let folder = folder();
    let (hub, _) = lived_in(folder.path()).await;
    assert_eq!(hub.stop().await, Some(0));
    let to = text(&folder.path().join("backup"));
    works(folder.path(), &["backup", "--to", &to]).await;
    std::fs::create_dir(data(folder.path()).join("restore-under-way")).expect("made");
    let refused = Start::serve().try_on(folder.path()).await.err();
    let refused = refused.expect("it does not start");
    assert!(refused.contains("restore"), "{refused}");
    works(folder.path(), &["restore", &to, "--force"]).await;
    let hub = Start::serve().on(folder.path()).await;
    assert_eq!(hub.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_travels_through_pipes() {
    let (old, new) = (folder(), folder());
    let (hub, _) = lived_in(old.path()).await;
    assert_eq!(hub.stop().await, Some(0));
    let output = run(old.path(), &["backup", "--to", "-"]).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let damaged = &output.stdout[..output.stdout.len() - 1];
    let refused = run_with_input(new.path(), &["restore", "-"], damaged).await;
    assert!(stderr(&refused).contains("cut off"), "{}", stderr(&refused));
    assert!(!data(new.path()).exists(), "nothing is left of it");
    let restored = run_with_input(new.path(), &["restore", "-"], &output.stdout).await;
    assert!(restored.status.success(), "{}", stderr(&restored));
    let left = std::fs::read_dir(data(new.path()))
        .expect("there")
        .flatten();
    let mut names: Vec<_> = left.map(|entry| entry.file_name()).collect();
    names.retain(|name| name.to_string_lossy().starts_with('.'));
    assert!(names.is_empty(), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_backup_of_a_house_that_is_not_there() {
    let folder = folder();
    let to = text(&folder.path().join("backup"));
    let complaint = refused(folder.path(), &["backup", "--to", &to]).await;
    assert!(complaint.contains("no house"), "{complaint}");
    let left = std::fs::read_dir(folder.path()).expect("there").count();
    assert_eq!(left, 1, "only the home of the program: no half file");
    let output = run(folder.path(), &["backup"]).await;
    assert!(stderr(&output).contains("--to"), "{}", stderr(&output));
}
