//! How many files this process may have open: each device is a connection.
//!
//! Owner of that limit. It must never fail a start: with the old limit a house of a few hundred
//! devices runs all the same.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many connections as the broker takes, three times: web, databases and files beside them.
const WANTED: u64 = 65_536;

/// Raises the limit as far as is wanted and allowed; systems start programs with 1,024.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    // No number means no limit.
    let wanted = limit.maximum.map_or(WANTED, |most| most.min(WANTED));
    if limit.current.is_none_or(|now| now >= wanted) {
        return;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, wanted, "the limit of open files could not be raised");
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn a_low_limit_is_raised_as_far_as_allowed() {
        let before = getrlimit(Resource::Nofile);
        let low = Rlimit {
            current: Some(512),
            maximum: before.maximum,
        };
        setrlimit(Resource::Nofile, low).unwrap();
        raise();
        let now = getrlimit(Resource::Nofile).current.unwrap();
        assert_eq!(now, before.maximum.map_or(WANTED, |m| m.min(WANTED)));
    }
}
