//! From what the broker has to what it should have.
//!
//! Owner of the difference. Equal inputs give equal steps, and what is as it should be
//! gives none. It must never plan anything for an account that another made.

use super::answer::{Listed, ListedRole};
use super::{Acl, House, Wanted};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the broker has: every account that was asked for, and the roles that hubs make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Accounts by user name.
    pub accounts: BTreeMap<String, Listed>,
    /// Roles by name.
    pub roles: BTreeMap<String, ListedRole>,
}

/// One thing to do at the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take an account away; the plugin ends its connections.
    DeleteAccount(String),
    /// Take a role away.
    DeleteRole(String),
    /// Make the role, or give it this access list.
    Role {
        /// Whether it has to be made.
        new: bool,
        /// Its name.
        name: String,
        /// What it allows.
        acls: Vec<Acl>,
    },
    /// Make the account with its password.
    Create(String),
    /// Give the account its password; the plugin ends its connections.
    Password(String),
    /// Give the account its role and no other; the plugin ends its connections.
    Mend(String),
    /// Let it in again.
    Enable(String),
}

/// Why an account is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Somebody else's account has the name.
    Taken,
    /// The broker lost its password, and the hub cannot tell it again: it needs a new one.
    PasswordLost,
    /// The broker refused a command.
    Refused,
}

/// An account that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// MQTT user name.
    pub username: String,
    /// Why.
    pub kind: FaultKind,
    /// In the broker's words, if it said something.
    pub detail: Option<String>,
}

/// What is to be done, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// In this order: first what shuts somebody out.
    pub steps: Vec<Step>,
    /// What somebody has to look at.
    pub faults: Vec<Fault>,
    /// Accounts that the house did not make.
    pub foreign: Vec<String>,
}

/// The steps from what was found to what is wanted.
pub fn plan(house: &House, wanted: &[Wanted], found: &Found) -> Planned {
    let names: BTreeMap<&str, &Wanted> = wanted.iter().map(|w| (&*w.username, w)).collect();
    let roles: BTreeSet<&str> = wanted.iter().map(|w| &*w.role).collect();
    let mut planned = Planned::default();
    for account in found.accounts.values() {
        let own = names.get(account.username.as_str());
        if !is_ours(house, account, own.copied()) {
            planned.foreign.push(account.username.clone());
        } else if own.is_none() {
            let step = Step::DeleteAccount(account.username.clone());
            planned.steps.push(step);
        }
    }
    let left = found
        .roles
        .values()
        .filter(|role| house.made(&role.description) && !roles.contains(role.rolename.as_str()));
    let left = left.map(|role| Step::DeleteRole(role.rolename.clone()));
    planned.steps.extend(left);
    for account in wanted {
        bring(house, account, found, &mut planned);
    }
    planned
}

/// By its mark, or by the role that no other account has.
fn is_ours(house: &House, account: &Listed, wanted: Option<&Wanted>) -> bool {
    let has = |role: &str| account.roles.iter().any(|r| r.rolename == role);
    house.made(&account.description) || wanted.is_some_and(|w| has(&w.role))
}

fn bring(house: &House, wanted: &Wanted, found: &Found, planned: &mut Planned) {
    let username = &wanted.username;
    let fault = |kind| Fault {
        username: username.clone(),
        kind,
        detail: None,
    };
    let there = found.accounts.get(username);
    let steps = &mut planned.steps;
    if there.is_some_and(|account| !is_ours(house, account, Some(wanted))) {
        planned.faults.push(fault(FaultKind::Taken));
        return;
    }
    let is_current = |account: &&Listed| account.description == house.account_mark(&wanted.tag);
    let current = there.filter(is_current);
    if current.is_none() && !wanted.password_known {
        planned.faults.push(fault(FaultKind::PasswordLost));
        // What is there has a password that no longer counts.
        steps.extend(there.map(|_| Step::DeleteAccount(username.clone())));
        return;
    }
    let role = found.roles.get(&wanted.role);
    let narrower = role.is_some_and(|role| role.acls.iter().any(|acl| !wanted.acls.contains(acl)));
    if role.is_none_or(|role| !is_as_wanted(house, role, wanted)) {
        steps.push(Step::Role {
            new: role.is_none(),
            name: wanted.role.clone(),
            acls: wanted.acls.clone(),
        });
    }
    match (there, current) {
        (None, _) => steps.push(Step::Create(username.clone())),
        (Some(_), None) => steps.push(Step::Password(username.clone())),
        // What it has subscribed to ends with its connection; it comes back by itself.
        (Some(account), Some(_)) if narrower || !has_just(account, &wanted.role) => {
            steps.push(Step::Mend(username.clone()));
        }
        (Some(_), Some(_)) => {}
    }
    if there.is_some_and(|account| account.disabled) {
        steps.push(Step::Enable(username.clone()));
    }
}

fn is_as_wanted(house: &House, role: &ListedRole, wanted: &Wanted) -> bool {
    let mut acls = role.acls.clone();
    acls.sort();
    acls == wanted.acls && house.made(&role.description)
}

fn has_just(account: &Listed, role: &str) -> bool {
    account.groups.is_empty() && account.roles.len() == 1 && account.roles[0].rolename == role
}

impl Step {
    /// The account that it is about, if it is about one.
    pub fn username(&self) -> Option<&str> {
        match self {
            Self::DeleteAccount(name)
            | Self::Create(name)
            | Self::Password(name)
            | Self::Mend(name)
            | Self::Enable(name) => Some(name),
            Self::DeleteRole(_) | Self::Role { .. } => None,
        }
    }

    /// The plugin's command. An account's own steps need the account, and a new password the password.
    pub fn command(
        &self,
        house: &House,
        account: Option<&Wanted>,
        password: Option<&str>,
    ) -> Value {
        let about = |command: &str, name: &str| {
            let Some(account) = account else {
                return json!({"command": command, "username": name});
            };
            json!({
                "command": command,
                "username": name,
                "textname": "IoT Home",
                "textdescription": house.account_mark(&account.tag),
                "roles": [{"rolename": account.role, "priority": 0}],
                "groups": [],
            })
        };
        let with_password = |mut command: Value| {
            command["password"] = password.into();
            command
        };
        match self {
            Self::DeleteAccount(name) => json!({"command": "deleteClient", "username": name}),
            Self::DeleteRole(name) => json!({"command": "deleteRole", "rolename": name}),
            Self::Role { new, name, acls } => json!({
                "command": if *new { "createRole" } else { "modifyRole" },
                "rolename": name,
                "textname": "IoT Home",
                "textdescription": house.role_mark(),
                "acls": acls,
            }),
            Self::Create(name) => with_password(about("createClient", name)),
            Self::Password(name) => with_password(about("modifyClient", name)),
            Self::Mend(name) => about("modifyClient", name),
            Self::Enable(name) => json!({"command": "enableClient", "username": name}),
        }
    }
}
