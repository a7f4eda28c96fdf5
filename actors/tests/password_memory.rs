//! What hashing passwords costs in memory once it is done. Alone in its process, because it looks
//! at the whole process.

use iothome_actors::Passwords;

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status.lines().find(|l| l.starts_with("VmRSS:"));
    let number = line.and_then(|l| l.split_whitespace().nth(1));
    number.and_then(|n| n.parse().ok()).expect("a number")
}

#[tokio::test]
async fn the_memory_of_a_sign_in_is_given_back() {
    let pool = Passwords::start(1).expect("threads");
    let stored = pool.hash("correct horse".into()).await.expect("a hash");
    let before = resident();
    for _ in 0..3 {
        let right = pool.verify("correct horse".into(), Some(stored.clone()));
        assert_eq!(right.await, Ok(true));
        let wrong = pool.verify("wrong horse".into(), Some(stored.clone()));
        assert_eq!(wrong.await, Ok(false));
    }
    let kept = resident().saturating_sub(before);
    assert!(
        kept < 8 * 1024,
        "{kept} KiB of the 19 MiB of a hash are kept"
    );
}
