//! How often somebody may try to sign in.
//!
//! Owner of the table of recent attempts. It is bounded, knows no password, and
//! takes the time as an argument.

use iothome_engine::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Sign-ins a minute, per account and per address.
pub(crate) const SIGN_INS_PER_MINUTE: u32 = 5;
const WINDOW_MS: i64 = 60_000;
/// Accounts and addresses remembered at once (about 1 MB at the most). A flood of
/// more within a minute makes the oldest forgotten, never the table larger.
const TABLE_MAX: usize = 8_192;

/// Characters by which accounts are told apart: no user's name is longer.
const ACCOUNT_MAX: usize = 64;

/// Counts attempts per key in a sliding minute.
pub(crate) struct Throttle {
    limit: usize,
    attempts: Mutex<HashMap<String, VecDeque<i64>>>,
}

impl Throttle {
    /// So many attempts a minute and key.
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX).max(1),
            attempts: Mutex::new(HashMap::new()),
        }
    }

    /// Counts an attempt of this account from this address; an error says how many seconds to wait.
    pub(crate) fn attempt(
        &self,
        account: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), u64> {
        let account: String = account.chars().take(ACCOUNT_MAX).collect();
        let keys = [
            format!("account {}", account.to_lowercase()),
            format!("address {}", network(address)),
        ];
        let now = now.as_millis();
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = keys
            .iter()
            .filter_map(|key| self.wait_ms(attempts.get_mut(key)?, now))
            .max();
        if let Some(wait) = wait {
            return Err(u64::try_from(wait).unwrap_or(0).div_ceil(1000).max(1));
        }
        make_room(&mut attempts, keys.len(), now);
        for key in keys {
            attempts.entry(key).or_default().push_back(now);
        }
        Ok(())
    }

    fn wait_ms(&self, recent: &mut VecDeque<i64>, now: i64) -> Option<i64> {
        while recent.front().is_some_and(|at| now - at >= WINDOW_MS) {
            recent.pop_front();
        }
        let oldest = recent.front()?;
        (recent.len() >= self.limit).then_some(oldest + WINDOW_MS - now)
    }
}

/// Forgets what is too old to count; if that is not enough, the older half, so that
/// a flood pays for the tidying once in four thousand attempts.
fn make_room(attempts: &mut HashMap<String, VecDeque<i64>>, needed: usize, now: i64) {
    if attempts.len() + needed <= TABLE_MAX {
        return;
    }
    attempts.retain(|_, recent| recent.back().is_some_and(|at| now - at < WINDOW_MS));
    if attempts.len() + needed <= TABLE_MAX {
        return;
    }
    let mut last: Vec<i64> = attempts
        .values()
        .filter_map(|recent| recent.back().copied())
        .collect();
    let middle = last.len() / 2;
    let (_, median, _) = last.select_nth_unstable(middle);
    let median = *median;
    let mut to_forget = middle;
    attempts.retain(|_, recent| {
        let old = recent.back().is_none_or(|at| *at <= median);
        if old && to_forget > 0 {
            to_forget -= 1;
            return false;
        }
        true
    });
}

/// One subscriber has a whole /64 of IPv6 (RFC 6177): it counts as one address.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_sixth_attempt_on_an_account_waits_whatever_address_it_comes_from() {
        let throttle = Throttle::new(5);
        for n in 0..5 {
            let from = ip(&format!("10.0.0.{n}"));
            assert_eq!(throttle.attempt("eve", from, at(n * 1000)), Ok(()));
        }
        let sixth = throttle.attempt("EVE", ip("10.0.0.9"), at(10_000));
        assert_eq!(sixth, Err(50));
        assert!(throttle.attempt("eve", ip("10.0.0.9"), at(60_000)).is_ok());
    }

    #[test]
    fn the_sixth_attempt_from_an_address_waits_whatever_account_it_tries() {
        let throttle = Throttle::new(5);
        for n in 0..5 {
            let account = format!("user{n}");
            let from = ip(&format!("2001:db8:0:1::{n}"));
            assert!(throttle.attempt(&account, from, at(0)).is_ok());
        }
        assert_eq!(
            throttle.attempt("other", ip("2001:db8:0:1::ff"), at(59_500)),
            Err(1)
        );
        assert!(
            throttle
                .attempt("other", ip("2001:db8:0:2::1"), at(0))
                .is_ok()
        );
    }

    #[test]
    fn a_refused_attempt_does_not_lengthen_the_wait() {
        let throttle = Throttle::new(1);
        assert!(throttle.attempt("eve", ip("10.0.0.1"), at(0)).is_ok());
        for ms in [10_000, 20_000, 30_000] {
            assert!(throttle.attempt("eve", ip("10.0.0.1"), at(ms)).is_err());
        }
        assert!(throttle.attempt("eve", ip("10.0.0.1"), at(60_000)).is_ok());
    }

    #[test]
    fn the_table_stays_bounded_under_a_flood_of_accounts() {
        let throttle = Throttle::new(5);
        for n in 0..20_000_u32 {
            let from = IpAddr::V4(n.into());
            assert!(throttle.attempt(&format!("user{n}"), from, at(0)).is_ok());
        }
        let table = throttle.attempts.lock().expect("not poisoned");
        assert!(table.len() <= TABLE_MAX);
    }

    #[test]
    fn a_long_account_costs_no_more_memory_than_a_short_one() {
        let throttle = Throttle::new(5);
        let long = "\u{130}".repeat(100_000);
        assert!(throttle.attempt(&long, ip("10.0.0.1"), at(0)).is_ok());
        let table = throttle.attempts.lock().expect("not poisoned");
        assert!(table.keys().all(|key| key.len() < 1_000));
    }
}
