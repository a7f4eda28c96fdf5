//! Whether every pair of colours that meets on a page can be read, in both themes.
//!
//! Owner of the list of pairs. Ratios are WCAG 2.2's (relative luminance of sRGB).

use super::{DARK, DARK_GROUND, LIGHT_GROUND, TOKENS};

/// Words on a ground: at least 4.5 to 1 (success criterion 1.4.3).
const WORDS: &[(&str, &str)] = &[
    ("ink", "bg"),
    ("ink", "card"),
    ("ink", "sunk"),
    ("soft", "bg"),
    ("soft", "card"),
    ("soft", "sunk"),
    ("accent", "bg"),
    ("accent", "card"),
    ("accent", "sunk"),
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("active", "active-bg"),
    ("good", "good-bg"),
    ("notice", "notice-bg"),
    ("bad", "bad-bg"),
    ("calm", "calm-bg"),
    ("dim", "dim-bg"),
    ("active", "card"),
    ("good", "card"),
    ("notice", "card"),
    ("bad", "card"),
    ("dim", "card"),
    ("bad", "bg"),
    ("bg", "ink"),
];
/// Edges of what can be used, and the ring of focus: at least 3 to 1 (criteria 1.4.11, 2.4.13).
const EDGES: &[(&str, &str)] = &[
    ("edge", "card"),
    ("edge", "bg"),
    ("edge", "sunk"),
    ("focus", "bg"),
    ("focus", "card"),
    ("focus", "sunk"),
    ("accent", "card"),
];

fn colour<'a>(css: &'a str, name: &str) -> &'a str {
    let start = css
        .find(&format!("--{name}: #"))
        .unwrap_or_else(|| panic!("there is no colour {name}"));
    let value = css[start..].split(['#', ';']).nth(1);
    value.expect("a value behind the name")
}

fn luminance(hex: &str) -> f64 {
    let channel = |at: usize| {
        let value = u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn ratio(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn black_on_white_is_twenty_one_to_one() {
    assert!((ratio("000000", "ffffff") - 21.0).abs() < 0.001);
    assert!((ratio("767676", "ffffff") - 4.54).abs() < 0.01);
}

#[test]
fn all_words_and_edges_stand_out_in_both_themes() {
    let mut weak = Vec::new();
    for (theme, css) in [("light", TOKENS), ("dark", DARK)] {
        for (pairs, least) in [(WORDS, 4.5), (EDGES, 3.0)] {
            for (front, ground) in pairs {
                let found = ratio(colour(css, front), colour(css, ground));
                if found < least {
                    weak.push(format!("{theme}: {front} on {ground} is {found:.2}"));
                }
            }
        }
    }
    assert!(weak.is_empty(), "{weak:#?}");
}

#[test]
fn the_browser_paints_the_ground_of_the_theme() {
    assert_eq!(LIGHT_GROUND, format!("#{}", colour(TOKENS, "bg")));
    assert_eq!(DARK_GROUND, format!("#{}", colour(DARK, "bg")));
}
