//! A process that is killed while it writes.

use crate::make::{self, NOW, device_id};
use iothome_engine::command::CommandWrite;
use iothome_store::testing::Folder;
use iothome_store::{DatabaseUrl, Store};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Tells the child which file to write to.
const FILE: &str = "IOTHOME_TEST_CRASH_FILE";
/// Commands in each of the child's batches.
const BATCH: u32 = 30;
/// Says on standard output that a batch is durable.
const WRITTEN: &str = "written batch ";

async fn open(file: &Path) -> Store {
    let url = DatabaseUrl::sqlite(file).expect("a file name");
    Store::open(&url).await.expect("opened")
}

#[tokio::test]
#[ignore = "started, and killed, by the test below"]
#[expect(clippy::print_stdout, reason = "it talks to its parent")]
async fn child_writes_until_it_is_killed() {
    let file = std::env::var_os(FILE).expect("the parent says where");
    let store = open(Path::new(&file)).await;
    let device = device_id("lamp");
    let done = store.commands_of(&device, None, usize::MAX, None).await;
    let begun = u32::try_from(done.expect("read").len()).expect("few") / BATCH;
    // The parent kills it long before; the bound is for a parent that died.
    for batch in begun..begun + 10_000 {
        let first = batch * BATCH;
        let writes: Vec<_> = (first..first + BATCH)
            .map(|n| CommandWrite::Accepted(make::command(n), None))
            .collect();
        store.write_commands(&writes).await.expect("written");
        println!("{WRITTEN}{batch}");
    }
}

/// Lets a child write so many batches, then kills it; gives the last that it said was durable.
fn write_and_be_killed(file: &Path, batches: usize) -> u32 {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "crash::child_writes_until_it_is_killed"])
        .args(["--ignored", "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let output = child.stdout.take().expect("it is piped");
    let mut said = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.split_once(WRITTEN)?.1.trim().parse().ok());
    let seen: Option<u32> = said.by_ref().nth(batches);
    child.kill().expect("killed");
    // What it said before it died counts too.
    let last = said.last().or(seen);
    child.wait().expect("gone");
    last.expect("it wrote something")
}

#[tokio::test]
async fn a_killed_process_leaves_whole_batches_and_every_one_it_vouched_for() {
    let folder = Folder::new("crash");
    let file = folder.path().join("house.db");
    for round in 0..6 {
        let path = file.clone();
        let killing = tokio::task::spawn_blocking(move || write_and_be_killed(&path, 3 + round));
        let vouched = killing.await.expect("no panic");
        let store = open(&file).await;
        let device = device_id("lamp");
        let rows = store.commands_of(&device, None, usize::MAX, None).await;
        let rows = u32::try_from(rows.expect("read").len()).expect("few");
        assert_eq!(rows % BATCH, 0, "no half batch");
        assert!(
            rows >= (vouched + 1) * BATCH,
            "{rows} rows, {vouched} vouched for"
        );
        // It can be written at once: the dead left no lock.
        store.open_span(NOW).await.expect("written");
        store.close().await;
    }
}
