//! How the accounts at the broker stand, and what its self-test showed: a part of the broker page.
//!
//! Owner of how that is shown. It must never show a password.

use crate::components::form;
use crate::icons::Icon;
use crate::layout::Viewer;
use crate::links;
use crate::texts::{Texts, fill};
use crate::time::{self, When};
use maud::{Markup, html};

/// Faults shown; the REST interface tells them all.
const FAULTS_SHOWN: usize = 50;

/// Why the hub cannot look after the accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountsProblem {
    /// The broker does not answer such commands.
    NoAnswer,
    /// The hub's own user may not.
    NotAllowed,
    /// Something else, in words.
    Other(String),
}

/// What is wrong with one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountFault {
    /// Somebody else's has its name.
    Taken,
    /// It needs a new password.
    PasswordLost,
    /// The broker refused a change, in its words.
    Refused(String),
}

impl AccountFault {
    /// What is wrong, and what to do about it.
    pub const fn words(&self, t: &Texts) -> &'static str {
        match self {
            Self::Taken => t.accounts.fault_taken,
            Self::PasswordLost => t.accounts.fault_lost,
            Self::Refused(_) => t.accounts.fault_refused,
        }
    }
}

/// The last look at a broker that keeps its own list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastLook {
    /// When.
    pub at: When,
    /// Accounts that the hub keeps there.
    pub accounts: usize,
    /// Things that had to be done.
    pub changes: usize,
    /// Accounts that the hub did not make.
    pub foreign: usize,
    /// What the broker allows where no list says anything, and should not.
    pub open_defaults: Vec<String>,
}

/// The self-test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Test {
    /// The hub makes no accounts there, so it has none to try.
    NotOurs,
    /// Not yet.
    #[default]
    Never,
    /// It was tried.
    Tried {
        /// When.
        at: When,
        /// Whether reading was refused.
        read_refused: bool,
        /// Whether writing was refused.
        write_refused: bool,
    },
    /// It could not be tried.
    Failed {
        /// When.
        at: When,
        /// Why.
        problem: String,
    },
}

/// The part of the page.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// The last look; `None` where no look is needed, or there was none yet.
    pub look: Option<LastLook>,
    /// Why the last one failed.
    pub problem: Option<AccountsProblem>,
    /// Accounts that are not as they should be, by user name.
    pub faults: Vec<(String, AccountFault)>,
    /// The self-test.
    pub test: Test,
}

/// Both sections.
pub(super) fn sections(t: &Texts, viewer: &Viewer, accounts: &Accounts) -> Markup {
    let known = accounts.look.is_some() || accounts.problem.is_some();
    html! {
        @if known || !accounts.faults.is_empty() {
            section.block #accounts {
                h2 { (t.accounts.title) }
                @if let Some(problem) = &accounts.problem { (self::problem(t, problem)) }
                @if let Some(look) = &accounts.look { (self::look(t, look)) }
                (faults(t, &accounts.faults))
            }
        }
        section.block #self-test {
            h2 { (t.accounts.test) }
            p.hint { (t.accounts.test_lead) }
            (test(t, &accounts.test))
            @if accounts.test != Test::NotOurs {
                form.inline method="post" action=(links::SELF_TEST) {
                    (form::csrf(&viewer.csrf))
                    button.button { (t.accounts.test_now) }
                }
            }
        }
    }
}

fn problem(t: &Texts, problem: &AccountsProblem) -> Markup {
    let (words, detail) = match problem {
        AccountsProblem::NoAnswer => (t.accounts.no_answer, None),
        AccountsProblem::NotAllowed => (t.accounts.not_allowed, None),
        AccountsProblem::Other(problem) => (t.accounts.not_looked, Some(problem)),
    };
    html! {
        div.trouble.bad {
            (Icon::Warning.draw())
            div { (words) @if let Some(detail) = detail { p { bdi { (detail) } } } }
        }
    }
}

fn look(t: &Texts, look: &LastLook) -> Markup {
    html! {
        dl.details {
            div { dt { (t.accounts.looked_at) } dd { (time::at(&look.at)) } }
            div { dt { (t.accounts.kept) } dd.figure { (look.accounts) } }
            div { dt { (t.accounts.changes) } dd.figure { (look.changes) } }
            div { dt { (t.accounts.foreign) } dd.figure { (look.foreign) } }
        }
        @if !look.open_defaults.is_empty() {
            div.trouble.bad {
                (Icon::Warning.draw())
                div {
                    (fill(t.accounts.open_defaults, &look.open_defaults.join(", ")))
                    p { code { (deny(&look.open_defaults)) } }
                }
            }
        }
    }
}

/// The command that closes these doors. Not `mosquitto_ctrl`: that of Mosquitto 2.0.11 says that it
/// does, and does nothing.
fn deny(kinds: &[String]) -> String {
    let lines = kinds.iter();
    let lines = lines.map(|kind| format!(r#"{{"acltype":"{kind}","allow":false}}"#));
    let lines: Vec<String> = lines.collect();
    format!(
        r#"mosquitto_pub -h … -p 8883 --cafile … -u … -P … -q 1 -t '$CONTROL/dynamic-security/v1' -m '{{"commands":[{{"command":"setDefaultACLAccess","acls":[{}]}}]}}'"#,
        lines.join(",")
    )
}

fn faults(t: &Texts, faults: &[(String, AccountFault)]) -> Markup {
    html! {
        @if !faults.is_empty() {
            h3 { (t.accounts.faults) }
            ul.clients {
                @for (username, fault) in faults.iter().take(FAULTS_SHOWN) {
                    li.client {
                        b { bdi { (username) } }
                        p { (fault.words(t)) @if let AccountFault::Refused(detail) = fault { ": " bdi { (detail) } } }
                    }
                }
            }
            @if faults.len() > FAULTS_SHOWN {
                p.hint { (fill(t.broker.clients_more, &(faults.len() - FAULTS_SHOWN).to_string())) }
            }
        }
    }
}

fn test(t: &Texts, test: &Test) -> Markup {
    match test {
        Test::NotOurs => html! { p { (t.accounts.test_not_ours) } },
        Test::Never => html! { p { (t.accounts.test_never) } },
        Test::Failed { at, problem } => html! {
            div.trouble.notice {
                (Icon::Question.draw())
                div { (t.accounts.test_failed) " " (time::at(at)) p { bdi { (problem) } } }
            }
        },
        Test::Tried {
            at,
            read_refused,
            write_refused,
        } => html! {
            (tried(*read_refused, t.accounts.read_refused, t.accounts.read_open))
            (tried(*write_refused, t.accounts.write_refused, t.accounts.write_open))
            p.hint { (t.accounts.tested_at) " " (time::at(at)) }
            @if !read_refused || !write_refused { p { (t.accounts.test_to_do) } }
        },
    }
}

fn tried(refused: bool, good: &str, bad: &str) -> Markup {
    let (class, icon, words) = if refused {
        ("good", Icon::Check, good)
    } else {
        ("bad", Icon::Warning, bad)
    };
    html! { div.trouble.(class) { (icon.draw()) b { (words) } } }
}
