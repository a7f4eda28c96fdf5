//! How the broker's accounts stand, in words for pages and REST.
//!
//! Owner of what is known of them. It must never hold a password.

use iothome_engine::access::dynsec::Fault;
use iothome_engine::time::Timestamp;
use std::sync::Arc;

/// The last look at the broker's accounts that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// When.
    pub at: Timestamp,
    /// Accounts that the hub keeps there.
    pub accounts: usize,
    /// Things that had to be done.
    pub changes: usize,
    /// Accounts that the hub did not make, by user name.
    pub foreign: Arc<Vec<String>>,
    /// What the broker allows where no list says anything, and should not.
    pub open_defaults: Vec<String>,
}

/// Why the accounts cannot be looked after.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountsProblem {
    /// The connection could not be made, or was lost.
    #[error("the broker cannot be reached: {0}")]
    Away(String),
    /// What had to come did not.
    #[error("the broker did not do in time what it was waited for")]
    Silent,
    /// Nothing came back: the plugin is not loaded.
    #[error("the broker does not answer commands about its accounts")]
    NoAnswer,
    /// The hub's own user may not manage accounts.
    #[error("the broker does not let the hub manage its accounts")]
    NotAllowed,
    /// The answer was not understood.
    #[error("{0}")]
    Strange(String),
    /// The house's own list could not be read.
    #[error("the hub's database cannot be read: {0}")]
    Store(String),
}

/// What a throw-away account could do with topics that are not its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfTest {
    /// When.
    pub at: Timestamp,
    /// What came out.
    pub outcome: Outcome,
}

/// What came out of a self-test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The account came in, its own topics worked, and this was refused.
    Tried {
        /// Reading what is not its own.
        read_refused: bool,
        /// Writing what is not its own.
        write_refused: bool,
    },
    /// It could not be tried, for this reason.
    Failed(String),
}

impl SelfTest {
    /// Whether somebody else's topics are open.
    pub const fn is_open(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Tried {
                read_refused: false,
                ..
            } | Outcome::Tried {
                write_refused: false,
                ..
            }
        )
    }
}

/// The broker's accounts as pages and REST show them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountsStatus {
    /// The last look that came to its end; none where no look is needed.
    pub reconciled: Option<Reconciled>,
    /// Why the last one did not.
    pub problem: Option<AccountsProblem>,
    /// Accounts that are not as they should be.
    pub faults: Vec<Fault>,
    /// The last self-test.
    pub self_test: Option<SelfTest>,
}

impl AccountsStatus {
    /// Whether somebody should do something about it before the broker is trusted.
    pub fn is_degraded(&self) -> bool {
        let keeps_failing = matches!(
            self.problem,
            Some(AccountsProblem::NoAnswer | AccountsProblem::NotAllowed)
        );
        keeps_failing || self.self_test.as_ref().is_some_and(SelfTest::is_open)
    }
}
