//! Mosquitto's accounts, brought to what the house wants.
//!
//! Owner of the exchange with the dynamic-security plugin: ask what is there, do what
//! differs, tell what could not be done. It must never touch what the house did not make.

use super::line::Line;
use super::seal::Seal;
use super::status::{AccountsProblem, Reconciled};
use iothome_engine::access::Credential;
use iothome_engine::access::dynsec::{
    self, Answer, Fault, FaultKind, Found, House, PREFIX, Planned, Step, Wanted, plan,
};
use iothome_engine::time::Timestamp;
use iothome_store::{Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Accounts asked for at once: some 30 KB.
const ACCOUNTS_PAGE: usize = 100;

/// Names of roles asked for at once.
const ROLES_PAGE: usize = 500;

/// Pages asked for at the most: 50,000 accounts. A broker that never comes to an end is broken.
const PAGES_MAX: usize = 500;

/// What is to be at the broker, with passwords where they are known.
pub(super) struct Desired {
    wanted: Vec<Wanted>,
    passwords: HashMap<String, String>,
}

impl Desired {
    /// What the house has written down.
    pub(super) async fn read(store: &Store, seal: &Seal) -> Result<Self, StoreError> {
        let credentials = store.credentials().await?;
        let sealed = store.sealed_passwords().await?;
        let open = |c: &Credential| seal.open(c, sealed.get(&c.id)?);
        let mut desired = Self {
            wanted: Vec::with_capacity(credentials.len()),
            passwords: HashMap::new(),
        };
        for credential in credentials {
            let password = open(&credential);
            desired
                .wanted
                .push(Wanted::of(&credential, password.is_some()));
            if let Some(password) = password {
                desired.passwords.insert(credential.username, password);
            }
        }
        Ok(desired)
    }

    /// One account of its own.
    pub(super) fn one(wanted: Wanted, password: String) -> Self {
        Self {
            passwords: HashMap::from([(wanted.username.clone(), password)]),
            wanted: vec![wanted],
        }
    }

    /// What is wanted of that account alone.
    pub(super) fn only(mut self, username: &str) -> Self {
        self.wanted.retain(|w| w.username == username);
        self.passwords.retain(|name, _| name == username);
        self
    }

    fn account(&self, username: Option<&str>) -> Option<&Wanted> {
        self.wanted.iter().find(|w| Some(&*w.username) == username)
    }
}

/// What came of bringing accounts to what is wanted.
pub(super) struct Brought {
    pub(super) changes: usize,
    pub(super) faults: Vec<Fault>,
    pub(super) foreign: Vec<String>,
}

/// Looks at everything, and mends it.
pub(super) async fn reconcile(
    line: &mut Line,
    house: &House,
    desired: &Desired,
    now: Timestamp,
) -> Result<(Reconciled, Vec<Fault>), AccountsProblem> {
    let found = Found {
        accounts: accounts(line).await?,
        roles: roles(line).await?,
    };
    let brought = bring(line, house, desired, &found).await?;
    let defaults = line.ask(vec![dynsec::get_defaults()]).await?;
    let open_defaults = match defaults.first() {
        Some(answer) if answer.error.is_none() => answer.open_defaults().map_err(strange)?,
        _ => Vec::new(),
    };
    let reconciled = Reconciled {
        at: now,
        accounts: desired.wanted.len(),
        changes: brought.changes,
        foreign: Arc::new(brought.foreign),
        open_defaults,
    };
    Ok((reconciled, brought.faults))
}

/// Looks at one account, and mends it.
pub(super) async fn follow(
    line: &mut Line,
    house: &House,
    username: &str,
    desired: &Desired,
) -> Result<Brought, AccountsProblem> {
    let mut found = Found::default();
    let mut names: Vec<String> = desired.wanted.iter().map(|w| w.role.clone()).collect();
    let answers = line.ask(vec![dynsec::get_account(username)]).await?;
    if let Some(answer) = answers.iter().find(|a| a.error.is_none()) {
        let account = answer.account().map_err(strange)?;
        let own = account.roles.iter().map(|r| &r.rolename);
        names.extend(own.filter(|name| name.starts_with(PREFIX)).cloned());
        found.accounts.insert(account.username.clone(), account);
    }
    names.sort();
    names.dedup();
    found.roles = roles_named(line, names).await?;
    bring(line, house, desired, &found).await
}

async fn accounts(line: &mut Line) -> Result<BTreeMap<String, dynsec::Listed>, AccountsProblem> {
    let mut all = BTreeMap::new();
    for page in 0..PAGES_MAX {
        let command = dynsec::list_accounts(page * ACCOUNTS_PAGE, ACCOUNTS_PAGE);
        let answers = line.ask(vec![command]).await?;
        let some = done(answers.first())?.accounts().map_err(strange)?;
        let is_last = some.len() < ACCOUNTS_PAGE;
        all.extend(some.into_iter().map(|a| (a.username.clone(), a)));
        if is_last {
            return Ok(all);
        }
    }
    Err(endless())
}

async fn roles(line: &mut Line) -> Result<BTreeMap<String, dynsec::ListedRole>, AccountsProblem> {
    let mut names: Vec<String> = Vec::new();
    for page in 0..PAGES_MAX {
        let command = dynsec::list_roles(page * ROLES_PAGE, ROLES_PAGE);
        let answers = line.ask(vec![command]).await?;
        let some = done(answers.first())?.role_names().map_err(strange)?;
        let is_last = some.len() < ROLES_PAGE;
        names.extend(some.into_iter().filter(|name| name.starts_with(PREFIX)));
        if is_last {
            return roles_named(line, names).await;
        }
    }
    Err(endless())
}

/// The roles of these names that are there.
async fn roles_named(
    line: &mut Line,
    names: Vec<String>,
) -> Result<BTreeMap<String, dynsec::ListedRole>, AccountsProblem> {
    let commands = names.iter().map(|name| dynsec::get_role(name)).collect();
    let answers = line.ask(commands).await?;
    let there = answers.iter().filter(|answer| answer.error.is_none());
    let roles = there.map(|answer| {
        let role = answer.role().map_err(strange)?;
        Ok((role.rolename.clone(), role))
    });
    roles.collect()
}

/// Does what differs.
pub(super) async fn bring(
    line: &mut Line,
    house: &House,
    desired: &Desired,
    found: &Found,
) -> Result<Brought, AccountsProblem> {
    let Planned {
        steps,
        mut faults,
        foreign,
    } = plan(house, &desired.wanted, found);
    let commands = steps.iter().map(|step| {
        let password = step.username().and_then(|u| desired.passwords.get(u));
        let account = desired.account(step.username());
        step.command(house, account, password.map(String::as_str))
    });
    let answers = line.ask(commands.collect()).await?;
    for (step, answer) in steps.iter().zip(&answers) {
        if let Some(error) = &answer.error {
            faults.push(refused(desired, step, error));
        }
    }
    Ok(Brought {
        changes: steps.len(),
        faults,
        foreign,
    })
}

/// Whose account suffers from a command that the broker refused.
fn refused(desired: &Desired, step: &Step, error: &str) -> Fault {
    let of_role = |name: &str| {
        let account = desired.wanted.iter().find(|w| w.role == name);
        account.map_or(name, |w| w.username.as_str()).to_owned()
    };
    let username = match step {
        Step::DeleteRole(name) | Step::Role { name, .. } => of_role(name),
        other => other.username().unwrap_or_default().to_owned(),
    };
    tracing::warn!(
        username,
        error,
        "the broker refused a change of its accounts"
    );
    Fault {
        username,
        kind: FaultKind::Refused,
        detail: Some(error.chars().take(200).collect()),
    }
}

fn done(answer: Option<&Answer>) -> Result<&Answer, AccountsProblem> {
    let answer = answer.ok_or_else(|| AccountsProblem::Strange("no answer".into()))?;
    match &answer.error {
        None => Ok(answer),
        Some(error) => Err(AccountsProblem::Strange(format!(
            "{}: {error}",
            answer.command
        ))),
    }
}

fn endless() -> AccountsProblem {
    AccountsProblem::Strange("the broker's list of accounts does not come to an end".into())
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn strange(error: dynsec::Unreadable) -> AccountsProblem {
    AccountsProblem::Strange(error.to_string())
}
