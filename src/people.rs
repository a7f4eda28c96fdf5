//! `iothome user …`: people managed on the data folder, also while the hub runs.
//!
//! Owner of the way in when a password is lost. A running hub keeps sessions in
//! memory, so a changed password is announced to it through the database.

use crate::cli::UserTask;
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::secrets;
use crate::settings::Settings;
use iothome_actors::{Hub, PASSWORD_MAX, Passwords, check_password, check_user_name};
use iothome_engine::ids::UserId;
use iothome_engine::policy::Role;
use iothome_engine::time::Timestamp;
use iothome_store::{DatabaseUrl, NewUser, Store, User};
use std::fmt::Write;
use std::io::Read;
use std::time::Duration;

/// Setting by which a running hub is told which sessions to end.
const ANNOUNCED: &str = "password_reset";
/// Looking is one read by key; nobody waits longer than this for a lost session to end.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A home has few people; a list longer than this is cut.
const LISTED: usize = 1_000;

/// Does what was asked and gives what is to be printed.
pub(crate) async fn run(settings: &Settings, task: UserTask) -> Result<String, StartError> {
    DataDir::visit(&settings.data_dir)?;
    let store = Store::open(&DatabaseUrl::parse(settings.database_url.expose())?).await?;
    let done = match task {
        UserTask::Add {
            name,
            role,
            password_stdin,
        } => add(&store, &name, &role, password_stdin).await,
        UserTask::List => list(&store).await,
        UserTask::ResetPassword {
            name,
            password_stdin,
        } => reset(&store, &name, password_stdin).await,
    };
    store.close().await;
    done
}

async fn add(
    store: &Store,
    name: &str,
    role: &str,
    from_stdin: bool,
) -> Result<String, StartError> {
    let role = Role::from_word(role)
        .ok_or_else(|| StartError::Other(format!("{role:?} is no role: use admin or member")))?;
    let name = check_user_name(name).map_err(|e| StartError::Other(e.to_string()))?;
    let password = Password::obtain(from_stdin)?;
    let user = NewUser {
        id: UserId::new(now(), secrets::random()?),
        name: name.clone(),
        role,
        password_hash: hash(password.text.clone()).await?,
        created_at: now(),
    };
    store.create_user(&user).await?;
    Ok(password.told(&format!("{name} was added as {}.", role.as_str())))
}

async fn list(store: &Store) -> Result<String, StartError> {
    let users = store.users(LISTED, None).await?;
    let mut text = String::new();
    for User {
        name,
        role,
        disabled,
        ..
    } in users
    {
        let note = if disabled { "  (disabled)" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<24} {}{note}", role.as_str());
    }
    if text.is_empty() {
        return Ok("There is nobody yet: start the hub and open the set-up page.".to_owned());
    }
    Ok(text.trim_end().to_owned())
}

async fn reset(store: &Store, name: &str, from_stdin: bool) -> Result<String, StartError> {
    let Some((user, _)) = store.user_by_name(name).await? else {
        return Err(StartError::Other(format!(
            "there is nobody called {name:?}"
        )));
    };
    let password = Password::obtain(from_stdin)?;
    let hash = hash(password.text.clone()).await?;
    store.set_password(user.id, &hash).await?;
    let ended = store.end_sessions_of(user.id, None, now()).await?;
    // A new word each time, so that the hub sees two resets of one user as two.
    let mut announcement = secrets::token()?;
    for session in ended {
        // Writing to a string cannot fail.
        let _ = write!(announcement, " {session}");
    }
    store.set_setting(ANNOUNCED, &announcement).await?;
    Ok(password.told(&format!("{} has a new password.", user.name)))
}

struct Password {
    text: String,
    made_up: bool,
}

impl Password {
    fn obtain(from_stdin: bool) -> Result<Self, StartError> {
        if !from_stdin {
            return Ok(Self {
                text: secrets::password()?,
                made_up: true,
            });
        }
        let mut text = String::new();
        // One more than allowed, so that too long is seen as too long.
        let limit = u64::try_from(PASSWORD_MAX).unwrap_or(u64::MAX) + 1;
        std::io::stdin()
            .take(limit)
            .read_to_string(&mut text)
            .map_err(|e| StartError::Other(format!("no password on standard input: {e}")))?;
        let text = text.trim_end_matches(['\r', '\n']).to_owned();
        check_password(&text).map_err(|e| StartError::Other(e.to_string()))?;
        Ok(Self {
            text,
            made_up: false,
        })
    }

    fn told(&self, what: &str) -> String {
        if self.made_up {
            return format!("{what}\nPassword: {}", self.text);
        }
        what.to_owned()
    }
}

/// Hashes in the same pool, with the same cost, as the hub does.
pub(crate) async fn hash(password: String) -> Result<String, StartError> {
    let broken = |e: iothome_actors::PasswordError| StartError::Other(e.to_string());
    let pool = Passwords::start(1).map_err(broken)?;
    pool.hash(password).await.map_err(broken)
}

/// The time for rows that are written outside the hub.
pub(crate) fn now() -> Timestamp {
    iothome_actors::Clock::system().now()
}

/// Ends, in the running hub, the sessions of whoever got a new password on the command line.
/// Never returns.
pub(crate) async fn heed_resets(hub: Hub) {
    let mut seen = hub.store().setting(ANNOUNCED).await.ok().flatten();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // A database that does not answer is somebody else's alarm; we look again.
        let Ok(announced) = hub.store().setting(ANNOUNCED).await else {
            continue;
        };
        if announced == seen {
            continue;
        }
        tracing::info!("a password was reset on the command line: its sessions end");
        let sessions = announced.iter().flat_map(|a| a.split(' ').skip(1));
        for session in sessions.filter_map(|id| id.parse().ok()) {
            // Its row has ended already; what is left is the session in memory, if any.
            let _ = hub.sessions().end(session).await;
        }
        seen = announced;
    }
}
