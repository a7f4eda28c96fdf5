//! How quickly a device confirms, in words.
//!
//! Owner of the percentiles: each is a latency that really was (nearest rank).

use iothome_views::numbers::latency_ms;
use iothome_views::pages::device::Latency;
use iothome_views::texts::Texts;

/// Percentiles of latencies in microseconds; `None` of none.
pub(crate) fn latency(t: &Texts, mut micros: Vec<i64>) -> Option<Latency> {
    micros.sort_unstable();
    let at = |per_cent| Some(words(t, nearest(&micros, per_cent)?));
    Some(Latency {
        half: at(50)?,
        most: at(90)?,
        slow: at(99)?,
        count: micros.len(),
    })
}

/// The smallest that so many per cent do not exceed.
fn nearest(sorted: &[i64], per_cent: usize) -> Option<i64> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

fn words(t: &Texts, micros: i64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "minutes in microseconds fit 2^53"
    )]
    let ms = micros as f64 / 1_000.0;
    latency_ms(t, ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iothome_views::texts::ENGLISH;

    #[test]
    fn percentiles_are_latencies_that_really_were() {
        let hundred: Vec<i64> = (1..=100).rev().map(|ms| ms * 1_000).collect();
        let found = latency(&ENGLISH, hundred).expect("some");
        assert_eq!(
            (
                found.half.as_str(),
                found.most.as_str(),
                found.slow.as_str(),
                found.count
            ),
            ("50", "90", "99", 100)
        );
        let one = latency(&ENGLISH, vec![420]).expect("one");
        assert_eq!((one.half.as_str(), one.slow.as_str()), ("0.42", "0.42"));
        assert_eq!(latency(&ENGLISH, Vec::new()), None);
    }
}
