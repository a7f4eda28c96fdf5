//! A restore that dies at any moment: the old house, the new one, or a clear refusal.

use super::{data, rows};
use crate::support::Dice;
use crate::support::hub::{begin, folder, run, stderr};
use iothome_engine::time::Timestamp;
use iothome_store::{AuditEntry, DatabaseUrl, Store};
use std::path::Path;
use std::time::Duration;

/// A house with so many lines in its audit log.
async fn house(folder: &Path, lines: i64) -> DatabaseUrl {
    // A command that needs the folder makes it as the hub wants it.
    run(folder, &["user", "list"]).await;
    run(folder, &["cert", "show"]).await;
    let url = DatabaseUrl::sqlite(&data(folder).join("house.db")).expect("a file name");
    let store = Store::open(&url).await.expect("opens");
    let line = |n: i64| AuditEntry {
        at: Timestamp::from_millis(n),
        user: None,
        name: "hub".to_owned(),
        action: "started".to_owned(),
        target: format!("of {lines}"),
        detail: serde_json::json!({}),
    };
    let all: Vec<AuditEntry> = (0..lines).map(line).collect();
    store.write_audit(&all).await.expect("written");
    store.close().await;
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_leaves_the_old_house_the_new_one_or_says_so() {
    let (from, to) = (folder(), folder());
    let source = house(from.path(), 5_000).await;
    let target = house(to.path(), 3).await;
    let (new, old) = (rows(&source).await, rows(&target).await);
    assert_ne!(new, old);
    let files = [from.path().join("new"), to.path().join("old")];
    let [new_file, old_file] = files.map(|path| path.display().to_string());
    for (folder, file) in [(&from, &new_file), (&to, &old_file)] {
        let output = run(folder.path(), &["backup", "--to", file]).await;
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let key = |folder: &Path| std::fs::read(data(folder).join("tls/ca.key")).expect("a key");
    let keys = [key(from.path()), key(to.path())];
    let mut dice = Dice(20_261_124);
    let mut ends = [0; 3];
    for _ in 0..12 {
        let mut child = begin(to.path(), &["restore", &new_file, "--force"]);
        // A whole restore of this size takes about half a second here.
        tokio::time::sleep(Duration::from_millis(dice.roll(700))).await;
        // It may have ended by itself.
        let _ = child.start_kill();
        child.wait().await.expect("it ends");
        let found = rows(&target).await;
        let is_marked = data(to.path()).join("restore-under-way").exists();
        assert!(is_marked || found == old || found == new, "half a house");
        if is_marked {
            ends[2] += 1;
        } else {
            let is_new = found == new;
            ends[usize::from(is_new)] += 1;
            let expected = if is_new { &keys[0] } else { &keys[1] };
            assert_eq!(key(to.path()), *expected, "keys go with their house");
        }
        // Back to the old one, whatever was left.
        let output = run(to.path(), &["restore", &old_file, "--force"]).await;
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(rows(&target).await, old);
    }
    let [old, new, said] = ends;
    crate::support::tell(&format!(
        "restores killed: {old} left the old house, {new} had made the new one, {said} said so"
    ));
    assert!(old > 0, "none was killed in the middle");
}
