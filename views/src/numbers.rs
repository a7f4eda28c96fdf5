//! Numbers as people read them.
//!
//! Owner of rounding for the eye; the exact value goes into a title. It must
//! never change what is stored or sent.

use crate::texts::Texts;

/// At most two decimals from 1 upward, three significant digits below, no needless zeros.
pub fn readable(t: &Texts, number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let size = number.abs();
    if !(1e-6..1e15).contains(&size) {
        return scientific(t, number);
    }
    let decimals: usize = match size {
        s if s >= 1.0 => 2,
        s if s >= 0.1 => 3,
        s if s >= 0.01 => 4,
        s if s >= 0.001 => 5,
        _ => 8,
    };
    localised(t, &format!("{number:.decimals$}"))
}

/// `1.8 × 10³⁰⁸`: for numbers that no household has, but a device may say.
fn scientific(t: &Texts, number: f64) -> String {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let text = format!("{number:.2e}");
    let Some((digits, power)) = text.split_once('e') else {
        return text; // infinite, or none
    };
    let raised = power.chars().map(|c| {
        let digit = c.to_digit(10).and_then(|d| RAISED.get(d as usize).copied());
        digit.unwrap_or('⁻')
    });
    format!(
        "{}\u{a0}×\u{a0}10{}",
        localised(t, digits),
        raised.collect::<String>()
    )
}

/// With at most so many decimals: for numbers that stand beside each other.
pub fn with_decimals(t: &Texts, number: f64, decimals: usize) -> String {
    let text = localised(t, &format!("{number:.decimals$}"));
    if text == "-0" { "0".to_owned() } else { text }
}

/// How many decimals a number in words has.
pub fn decimals_of(t: &Texts, words: &str) -> usize {
    words
        .split_once(t.decimal_mark)
        .map_or(0, |(_, fraction)| fraction.len())
}

/// As few decimals as the exact number needs, for form fields.
pub fn exact(number: f64) -> String {
    if number == 0.0 {
        "0".to_owned()
    } else {
        number.to_string()
    }
}

/// As it is typed into a form field: exact, with the mark of the language. A field of the browser's
/// own kind for numbers would take "21,5" for 215 where its language writes a point.
pub fn typed(t: &Texts, number: f64) -> String {
    exact(number).replace('.', t.decimal_mark.encode_utf8(&mut [0; 4]))
}

/// Milliseconds with as many digits as tell something: `0.42`, `9`, `1,240` stays `1240`.
pub fn latency_ms(t: &Texts, ms: f64) -> String {
    let text = match ms {
        m if m < 1.0 => format!("{m:.2}"),
        m if m < 10.0 => format!("{m:.1}"),
        m => format!("{m:.0}"),
    };
    localised(t, &text)
}

/// A size in bytes as people say it: `38.4 MB`.
pub fn bytes(t: &Texts, bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1_000.0;
        unit += 1;
    }
    let text = if unit == 0 || size >= 99.95 {
        format!("{size:.0}")
    } else {
        format!("{size:.1}")
    };
    format!("{}\u{a0}{}", localised(t, &text), UNITS[unit])
}

fn localised(t: &Texts, text: &str) -> String {
    if !text.contains('.') {
        return text.to_owned();
    }
    let short = text.trim_end_matches('0').trim_end_matches('.');
    short.replace('.', t.decimal_mark.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{ENGLISH, GERMAN};

    #[test]
    fn a_size_is_told_with_as_many_digits_as_tell_something() {
        for (size, text) in [
            (0, "0\u{a0}B"),
            (999, "999\u{a0}B"),
            (1_000, "1\u{a0}kB"),
            (38_430_000, "38.4\u{a0}MB"),
            (999_960, "1\u{a0}MB"),
            (u64::MAX, "18446744\u{a0}TB"),
        ] {
            assert_eq!(bytes(&ENGLISH, size), text);
        }
        assert_eq!(bytes(&GERMAN, 1_500), "1,5\u{a0}kB");
    }

    #[test]
    fn numbers_are_short_but_small_ones_stay_visible() {
        for (number, text) in [
            (21.0, "21"),
            (21.456, "21.46"),
            (-0.5, "-0.5"),
            (0.012_34, "0.0123"),
            (0.0, "0"),
            (1234.5, "1234.5"),
            (1e18, "1\u{a0}×\u{a0}10¹⁸"),
            (f64::MAX, "1.8\u{a0}×\u{a0}10³⁰⁸"),
            (-2.5e-7, "-2.5\u{a0}×\u{a0}10⁻⁷"),
            (100.0, "100"),
        ] {
            assert_eq!(readable(&ENGLISH, number), text);
        }
    }

    #[test]
    fn the_fraction_stands_behind_the_mark_of_the_language() {
        assert_eq!(readable(&GERMAN, -21.456), "-21,46");
        assert_eq!(latency_ms(&GERMAN, 0.421), "0,42");
        assert_eq!(typed(&GERMAN, 21.5), "21,5");
        assert_eq!(typed(&ENGLISH, 1234.5), "1234.5");
    }

    #[test]
    fn a_latency_keeps_its_fraction_only_while_it_is_small() {
        assert_eq!(latency_ms(&ENGLISH, 0.421), "0.42");
        assert_eq!(latency_ms(&ENGLISH, 9.04), "9");
        assert_eq!(latency_ms(&ENGLISH, 9.25), "9.2");
        assert_eq!(latency_ms(&ENGLISH, 1240.4), "1240");
    }
}
