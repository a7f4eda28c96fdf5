//! The grammar of MQTT topics and filters (MQTT 5, section 4.7).
//!
//! Owner of what a topic may look like and of which filter matches or covers
//! which other. It must never know whose topic it is; that is `access`.

/// Longest topic or filter, in bytes.
///
/// MQTT allows 65,535; a home's topics are names of things, and each is kept in
/// memory several times.
pub const TOPIC_MAX: usize = 1024;

/// Why a text is no topic or filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// It has no character.
    #[error("it is empty")]
    Empty,
    /// It is longer than [`TOPIC_MAX`].
    #[error("it is longer than {TOPIC_MAX} bytes")]
    TooLong,
    /// It holds NUL or another control character.
    #[error("it holds a control character")]
    Control,
    /// It is to be published to, so it may hold no wildcard.
    #[error("it may hold no wildcard ('+' or '#')")]
    Wildcard,
    /// It begins as a shared subscription does: a client subscribes so, nobody publishes there.
    #[error("it may not begin with \"$share/\"")]
    Shared,
    /// `+` must be a whole level, `#` the whole last level.
    #[error("'+' must stand alone in its level, and '#' alone in the last one")]
    MisplacedWildcard,
}

fn check_text(text: &str) -> Result<(), TopicError> {
    if text.is_empty() {
        return Err(TopicError::Empty);
    }
    if text.len() > TOPIC_MAX {
        return Err(TopicError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(TopicError::Control);
    }
    Ok(())
}

/// Whether the text can be published to.
pub fn valid_topic(text: &str) -> Result<(), TopicError> {
    check_text(text)?;
    if text.contains(['+', '#']) {
        return Err(TopicError::Wildcard);
    }
    if text.starts_with("$share/") {
        return Err(TopicError::Shared);
    }
    Ok(())
}

/// Whether the text can be subscribed to.
pub fn valid_filter(text: &str) -> Result<(), TopicError> {
    check_text(text)?;
    let mut levels = text.split('/').peekable();
    while let Some(level) = levels.next() {
        let well_placed = match level {
            "+" => true,
            "#" => levels.peek().is_none(),
            _ => !level.contains(['+', '#']),
        };
        if !well_placed {
            return Err(TopicError::MisplacedWildcard);
        }
    }
    Ok(())
}

/// Whether a leading wildcard of `filter` would have to match a topic that starts with `$`.
fn reaches_for_dollar(filter: &str, other: &str) -> bool {
    filter.starts_with(['+', '#']) && other.starts_with('$')
}

/// Whether the filter matches the topic.
pub fn matches(filter: &str, topic: &str) -> bool {
    if reaches_for_dollar(filter, topic) {
        return false;
    }
    let mut levels = topic.split('/');
    for part in filter.split('/') {
        // Also reached with no level left: `a/#` matches its parent `a`.
        if part == "#" {
            return true;
        }
        match levels.next() {
            Some(level) if part == "+" || part == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// Whether every topic that `narrower` matches is also matched by `filter`.
///
/// Where it cannot be told level by level (`+/#` and `#`) the answer is no: for
/// access that is the safe one.
pub fn covers(filter: &str, narrower: &str) -> bool {
    if reaches_for_dollar(filter, narrower) {
        return false;
    }
    let mut rest = narrower.split('/');
    for part in filter.split('/') {
        // Also reached with nothing left: the parent of `a/#` is `a`.
        if part == "#" {
            return true;
        }
        match rest.next() {
            Some("#") | None => return false,
            Some(level) if part == "+" || (level != "+" && part == level) => {}
            Some(_) => return false,
        }
    }
    rest.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_topic_to_publish_to_holds_no_wildcard() {
        assert_eq!(valid_topic("iothome/fridge/door/state"), Ok(()));
        assert_eq!(valid_topic("a/+/b"), Err(TopicError::Wildcard));
        assert_eq!(valid_topic(""), Err(TopicError::Empty));
        assert_eq!(valid_topic("a\0b"), Err(TopicError::Control));
        assert_eq!(valid_topic("$share/g/a"), Err(TopicError::Shared));
        assert_eq!(valid_topic("$SYS/broker/uptime"), Ok(()));
        assert_eq!(valid_topic(&"a".repeat(1025)), Err(TopicError::TooLong));
    }

    #[test]
    fn wildcards_stand_alone_and_hash_stands_last() {
        for good in ["#", "+", "a/+/b", "a/#", "+/+/#", "/", "a//b"] {
            assert_eq!(valid_filter(good), Ok(()), "{good}");
        }
        for bad in ["a#", "a/#/b", "a+/b", "#/", "a/b+"] {
            assert_eq!(
                valid_filter(bad),
                Err(TopicError::MisplacedWildcard),
                "{bad}"
            );
        }
    }

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic) in [
            ("a/b", "a/b"),
            ("a/+", "a/b"),
            ("a/+", "a/"),
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("#", "a/b"),
            ("+/+", "/x"),
            ("/+", "/x"),
            ("+/b/#", "a/b"),
            ("$SYS/#", "$SYS/uptime"),
        ] {
            assert!(matches(filter, topic), "{filter} {topic}");
        }
        for (filter, topic) in [
            ("a/+", "a"),
            ("a/+", "a/b/c"),
            ("+", "/x"),
            ("a/b", "a/bc"),
            ("a/#", "ab"),
            ("a/b/#", "a"),
            ("#", "$SYS/uptime"),
            ("+/uptime", "$SYS/uptime"),
        ] {
            assert!(!matches(filter, topic), "{filter} {topic}");
        }
    }

    #[test]
    fn a_filter_covers_only_what_it_matches_whole() {
        for (filter, narrower) in [
            ("a/#", "a/#"),
            ("a/#", "a"),
            ("a/#", "a/+/c"),
            ("a/+", "a/b"),
            ("a/+", "a/+"),
            ("#", "a/#"),
            ("+/set", "lamp/set"),
        ] {
            assert!(covers(filter, narrower), "{filter} {narrower}");
        }
        for (filter, narrower) in [
            ("a/+", "a/#"),
            ("a/b", "a/+"),
            ("a/+", "a/b/c"),
            ("#", "$SYS/#"),
            ("a/b/#", "a/#"),
            ("iothome/x/+/set", "iothome/+/power/set"),
            ("a/#", "$share/g/a/#"),
        ] {
            assert!(!covers(filter, narrower), "{filter} {narrower}");
        }
    }

    proptest! {
        #[test]
        fn what_is_covered_is_matched(
            filter in "(#|(\\+|a|b|\\$c)(/(\\+|a|b)){0,3}(/#)?)",
            narrower in "(#|(\\+|a|b|\\$c)(/(\\+|a|b)){0,3}(/#)?)",
            topic in "(a|b|\\$c)(/(a|b|)){0,4}",
        ) {
            if covers(&filter, &narrower) && matches(&narrower, &topic) {
                prop_assert!(matches(&filter, &topic), "{filter} {narrower} {topic}");
            }
        }

        #[test]
        fn any_text_can_be_asked_about(a in ".{0,40}", b in ".{0,40}") {
            let _ = (valid_topic(&a), valid_filter(&a), matches(&a, &b), covers(&a, &b));
        }
    }
}
