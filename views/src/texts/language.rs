//! Which language a page is in.
//!
//! Owner of the list of languages and of the choice between them. It must never
//! know who asks.

use super::{ENGLISH, GERMAN, Texts};

/// Every language there is; the first is the one for whoever speaks none of them.
pub static LANGUAGES: [&Texts; 2] = [&ENGLISH, &GERMAN];

/// The language of a tag such as `de` or `de-AT`.
pub fn of(tag: &str) -> Option<&'static Texts> {
    let primary = tag.split('-').next().unwrap_or_default();
    LANGUAGES
        .into_iter()
        .find(|texts| texts.lang.eq_ignore_ascii_case(primary))
}

/// The best language for an `Accept-Language` header (RFC 9110, section 12.5.4).
pub fn negotiate(header: &str) -> &'static Texts {
    let mut best: Option<(f32, &'static Texts)> = None;
    // A browser names a handful; whoever names thousands is not worth the time.
    for range in header.split(',').take(32) {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let weight = parts
            .find_map(|p| p.trim().strip_prefix("q="))
            .map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())
            .unwrap_or(0.0);
        let Some(texts) = of(tag).filter(|_| weight > 0.0) else {
            continue;
        };
        if best.is_none_or(|(b, _)| weight > b) {
            best = Some((weight, texts));
        }
    }
    best.map_or(&ENGLISH, |(_, texts)| texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_known_language_is_taken_and_english_without_one() {
        for (header, lang) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("fr-FR, fr;q=0.9", "en"),
            ("fr, en;q=0.2, de;q=0.7", "de"),
            ("de;q=0, en;q=0.1", "en"),
            ("de;q=x, *", "en"),
            ("DE", "de"),
        ] {
            assert_eq!(negotiate(header).lang, lang, "{header}");
        }
    }
}
