//! The pool that hashes passwords: a few threads, a bounded number of requests.
//!
//! Owner of argon2id and its cost. A storm of sign-ins fills the pool and is told
//! `Busy`; it must never take the threads that run the house.

use actix::{Actor, Addr, Handler, Message, SyncArbiter, SyncContext, System};
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane (about 45 ms).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// As argon2's authors recommend.
const SALT_BYTES: usize = 16;

/// Room asked for in blocks of 1 KiB, of which only the first 19 MiB are touched. glibc keeps the
/// memory of the second 19 MiB for ever; more than 32 MiB it gives back (mallopt(3),
/// `M_MMAP_THRESHOLD`).
const ROOM_BLOCKS: usize = 33 * 1024;

/// Requests that may wait for one thread: eight waits of 45 ms are still a quick sign-in.
const WAITING_PER_WORKER: usize = 8;

/// Longest password that is hashed, in bytes; longer ones are wrong (or refused) unread.
pub const PASSWORD_MAX: usize = 1024;

/// A hash takes 45 ms, so ten seconds mean that the machine is stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the password of an unknown user is compared with, so that it takes the same time: the
/// hash of random bytes that were thrown away.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$mr1yosGABnCIB7iTjD1fjA$RxriNJhiLp0sTF/yBt1Y8dtFzp3xLuKSZfhgwIrMPYs";

/// Why a password was neither hashed nor checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many sign-ins at once.
    #[error("too many sign-ins at once; try again in a few seconds")]
    Busy,
    /// The password is longer than [`PASSWORD_MAX`].
    #[error("a password has at most {PASSWORD_MAX} bytes")]
    TooLong,
    /// The threads could not be started, or hashing itself failed.
    #[error("passwords cannot be checked now")]
    Broken,
}

/// Handle of the pool; clones share it, the last one stops it.
#[derive(Clone)]
pub struct Passwords(Arc<Pool>);

struct Pool {
    workers: Addr<Worker>,
    places: Arc<Semaphore>,
    system: System,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.system.stop();
    }
}

impl Passwords {
    /// Starts `workers` threads (at least one).
    ///
    /// # Errors
    /// [`PasswordError::Broken`] if the threads cannot be started.
    pub fn start(workers: usize) -> Result<Self, PasswordError> {
        let workers = workers.max(1);
        Self::start_bounded(workers, workers * WAITING_PER_WORKER)
    }

    fn start_bounded(workers: usize, places: usize) -> Result<Self, PasswordError> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        // actix wants a System on the thread that starts a SyncArbiter, and the
        // house's runtime has none: it gets its own.
        std::thread::Builder::new()
            .name("passwords".into())
            .spawn(move || {
                let system = System::new();
                system.block_on(async move {
                    let pool = SyncArbiter::start(workers, || Worker);
                    let _ = tell.send((pool, System::current()));
                });
                let _ = system.run();
            })
            .map_err(|_| PasswordError::Broken)?;
        let (workers, system) = told.recv().map_err(|_| PasswordError::Broken)?;
        Ok(Self(Arc::new(Pool {
            workers,
            places: Arc::new(Semaphore::new(places)),
            system,
        })))
    }

    /// Hashes a new password into its PHC text.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if the pool is full, [`PasswordError::TooLong`].
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        if password.len() > PASSWORD_MAX {
            return Err(PasswordError::TooLong);
        }
        self.run(move || hash(&password)).await
    }

    /// Whether the password fits the stored hash. `None` (no such user) takes the same
    /// time and is `false`.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if the pool is full.
    pub async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        let known = stored.is_some() && password.len() <= PASSWORD_MAX;
        let against = stored.filter(|_| known).unwrap_or_else(|| DECOY.to_owned());
        let password = if password.len() <= PASSWORD_MAX {
            password
        } else {
            String::new()
        };
        self.run(move || Ok(verify(&password, &against) && known))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let places = self.0.places.clone();
        let place = places
            .try_acquire_owned()
            .map_err(|_| PasswordError::Busy)?;
        let (reply, answer) = oneshot::channel();
        let job = Job {
            work: Box::new(move || {
                let _ = reply.send(work());
            }),
            _place: place,
        };
        self.0.workers.do_send(job);
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(result)) => result,
            // The reply was dropped by a panic, or nobody works.
            Ok(Err(_)) | Err(_) => Err(PasswordError::Broken),
        }
    }
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PasswordError::Broken)?;
    let salt: [u8; SALT_BYTES] = crate::random::bytes();
    phc(password, &salt, &params).ok_or(PasswordError::Broken)
}

fn phc(password: &str, salt: &[u8], params: &Params) -> Option<String> {
    let hashed = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(digest(password, salt, params)?),
    };
    Some(hashed.to_string())
}

fn verify(password: &str, stored: &str) -> bool {
    let Some((expected, found)) = compare(password, stored) else {
        tracing::error!("a stored password hash cannot be read");
        return false;
    };
    expected.as_ref().ct_eq(found.as_ref()).into()
}

/// What is stored, and what the password gives with the stored cost and salt.
fn compare(password: &str, stored: &str) -> Option<(Output, Output)> {
    let parsed = PasswordHash::new(stored).ok()?;
    let version = parsed.version.map(Version::try_from)?.ok()?;
    if parsed.algorithm != ARGON2ID_IDENT || version != Version::V0x13 {
        return None;
    }
    let params = Params::try_from(&parsed).ok()?;
    let found = digest(password, &parsed.salt?, &params)?;
    Some((parsed.hash?, found))
}

/// Argon2id in memory that goes back to the system at once.
fn digest(password: &str, salt: &[u8], params: &Params) -> Option<Output> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(ROOM_BLOCKS));
    memory.resize(blocks, Block::default());
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let mut buffer = [0; Output::MAX_LENGTH];
    let out = buffer.get_mut(..length)?;
    argon2
        .hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory)
        .ok()?;
    Output::new(out).ok()
}

/// One thread of the pool.
struct Worker;

impl Actor for Worker {
    type Context = SyncContext<Self>;
}

/// Work with its place in the pool, which is free again when the work is done or lost.
struct Job {
    work: Box<dyn FnOnce() + Send>,
    _place: OwnedSemaphorePermit,
}

impl Message for Job {
    type Result = ();
}

impl Handler<Job> for Worker {
    type Result = ();

    fn handle(&mut self, job: Job, _: &mut Self::Context) {
        // A panic would end this thread for good, and the pool would not notice.
        if catch_unwind(AssertUnwindSafe(job.work)).is_err() {
            tracing::error!("hashing a password panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let pool = Passwords::start(1).expect("threads");
        let stored = pool.hash("correct horse".into()).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let check = |p: &str, s: Option<&str>| pool.verify(p.into(), s.map(Into::into));
        assert_eq!(check("correct horse", Some(&stored)).await, Ok(true));
        assert_eq!(check("wrong horse", Some(&stored)).await, Ok(false));
        assert_eq!(check("correct horse", None).await, Ok(false));
        assert_eq!(check("correct horse", Some("not a hash")).await, Ok(false));
    }

    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one() {
        let decoy = PasswordHash::new(DECOY).expect("it can be read");
        let own = hash("any").expect("a hash");
        let own = PasswordHash::new(&own).expect("it can be read");
        assert_eq!(
            (decoy.algorithm, decoy.version),
            (own.algorithm, own.version)
        );
        assert_eq!(decoy.params, own.params);
        let length = |hash: &PasswordHash| hash.hash.map(|output| output.as_ref().len());
        assert_eq!(length(&decoy), length(&own));
    }

    #[tokio::test]
    async fn a_password_too_long_is_refused_before_it_is_hashed() {
        let pool = Passwords::start(1).expect("threads");
        let long = "x".repeat(PASSWORD_MAX + 1);
        assert_eq!(pool.hash(long.clone()).await, Err(PasswordError::TooLong));
        let stored = pool.hash(String::new()).await.expect("a hash");
        assert_eq!(pool.verify(long, Some(stored)).await, Ok(false));
    }

    #[tokio::test]
    async fn a_full_pool_says_busy_and_serves_again_later() {
        let pool = Passwords::start_bounded(1, 2).expect("threads");
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let held = {
            let pool = pool.clone();
            tokio::spawn(async move {
                pool.run(move || {
                    let _ = wait.recv();
                    Ok(())
                })
                .await
            })
        };
        let second = {
            let pool = pool.clone();
            tokio::spawn(async move { pool.run(|| Ok(2)).await })
        };
        while pool.0.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            pool.verify("x".into(), None).await,
            Err(PasswordError::Busy)
        );
        go.send(()).expect("the worker waits");
        assert_eq!(held.await.expect("no panic"), Ok(()));
        assert_eq!(second.await.expect("no panic"), Ok(2));
        assert_eq!(pool.verify("x".into(), None).await, Ok(false));
    }

    #[tokio::test]
    async fn the_pool_survives_a_panic_in_each_of_its_threads() {
        let pool = Passwords::start_bounded(1, 2).expect("threads");
        for _ in 0..3 {
            let panicked: Result<(), _> = pool.run(|| panic!("as a test")).await;
            assert_eq!(panicked, Err(PasswordError::Broken));
        }
        assert_eq!(pool.verify("x".into(), None).await, Ok(false));
    }
}
