//! What is wrong with what came from outside: said once, then counted.
//!
//! Owner of the table that keeps a device sending rubbish a thousand times a
//! second from filling the log. It must never keep a payload.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Different problems remembered. A full table is emptied: then each is said once
/// more, which is better than silence and still bounded.
const PROBLEMS_MAX: usize = 1024;

/// Problems seen, each with a count.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    seen: Mutex<HashMap<(String, String), u64>>,
}

impl Complaints {
    /// Notes the problem; logs it the first time and at each tenfold count.
    pub(crate) fn note(&self, source: &str, problem: &str) {
        metrics::counter!("iothome_bad_input_total").increment(1);
        let count = self.count(source, problem);
        if is_power_of_ten(count) {
            tracing::warn!(source, problem, count, "bad input");
        }
    }

    fn count(&self, source: &str, problem: &str) -> u64 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.to_owned(), problem.to_owned());
        if seen.len() >= PROBLEMS_MAX && !seen.contains_key(&key) {
            seen.clear();
        }
        let count = seen.entry(key).or_insert(0);
        *count += 1;
        *count
    }
}

fn is_power_of_ten(mut count: u64) -> bool {
    while count >= 10 && count.is_multiple_of(10) {
        count /= 10;
    }
    count == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_said_once_and_then_at_tenfold_counts() {
        let said: Vec<u64> = (1..=1_000).filter(|n| is_power_of_ten(*n)).collect();
        assert_eq!(said, [1, 10, 100, 1_000]);
    }

    #[test]
    fn the_table_is_bounded() {
        let complaints = Complaints::default();
        for n in 0..5_000 {
            complaints.note("lamp", &format!("problem {n}"));
        }
        assert!(complaints.seen.lock().expect("whole").len() <= PROBLEMS_MAX);
        complaints.note("lamp", "again");
        assert_eq!(complaints.count("lamp", "again"), 2);
    }
}
