//! Regular expressions in templates.
//!
//! Owner of the `regex_*` filters and of the tests `match` and `search`. The engine
//! behind them takes linear time; a pattern that needs more (look-around,
//! back-references) is refused.

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, State};
use regex_lite::{Regex, RegexBuilder};

/// Longest pattern, in bytes: compiled anew for each message, so it must be small.
const PATTERN_MAX: usize = 256;

/// Largest compiled pattern, in bytes: repetitions must not make a short one huge.
const COMPILED_MAX: usize = 16 * 1024;

/// Adds the filters and tests.
pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("regex_match", is_match);
    env.add_filter("regex_search", is_found);
    env.add_filter("regex_replace", replace);
    env.add_filter("regex_findall", find_all);
    env.add_filter("regex_findall_index", find_one);
    env.add_test("match", is_match);
    env.add_test("search", is_found);
}

fn compile(
    state: &State<'_, '_>,
    text: &str,
    pattern: &str,
    ignore_case: Option<bool>,
) -> Result<Regex, Error> {
    if pattern.len() > PATTERN_MAX {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "the pattern is too long",
        ));
    }
    // Compiling costs as much as some hundred instructions, matching a compiled pattern's
    // size for each byte of the text: both are paid for before they are done.
    state.consume_fuel(200 + (text.len() / 2) as u64)?;
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case.unwrap_or(false))
        .size_limit(COMPILED_MAX)
        .build()
        .map_err(|e| {
            Error::new(
                ErrorKind::InvalidOperation,
                format!("the pattern is wrong: {e}"),
            )
        })
}

/// To find one match, a pattern may have to read all that is left of the text: then finding
/// all of them takes the square of its length.
fn pay_for_match(state: &State<'_, '_>, left: usize) -> Result<(), Error> {
    state.consume_fuel(1 + (left / 4) as u64)
}

/// Python's `re.match`: at the start of the text.
fn is_match(
    state: &State<'_, '_>,
    text: &str,
    pattern: &str,
    ignore_case: Option<bool>,
) -> Result<bool, Error> {
    let regex = compile(state, text, pattern, ignore_case)?;
    // The leftmost match starts at 0 if any match does.
    Ok(regex.find(text).is_some_and(|found| found.start() == 0))
}

/// Python's `re.search`: anywhere in the text.
fn is_found(
    state: &State<'_, '_>,
    text: &str,
    pattern: &str,
    ignore_case: Option<bool>,
) -> Result<bool, Error> {
    Ok(compile(state, text, pattern, ignore_case)?.is_match(text))
}

fn replace(
    state: &State<'_, '_>,
    text: &str,
    pattern: &str,
    by: &str,
    ignore_case: Option<bool>,
) -> Result<String, Error> {
    let regex = compile(state, text, pattern, ignore_case)?;
    let by = python_groups(by);
    let (mut out, mut end) = (String::new(), 0);
    for found in regex.captures_iter(text) {
        // A match without its whole, group 0, does not exist.
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[end..whole.start()]);
        let before = out.len();
        found.expand(&by, &mut out);
        pay_for_match(state, text.len() - whole.start())?;
        state.consume_fuel(((out.len() - before) / 64) as u64)?;
        end = whole.end();
    }
    out.push_str(&text[end..]);
    Ok(out)
}

/// Python's `\1` as `${1}`; a `$` of its own stays one.
fn python_groups(by: &str) -> String {
    let mut out = String::with_capacity(by.len());
    let mut chars = by.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' => out.push_str("$$"),
            '\\' if chars.peek().is_some_and(char::is_ascii_digit) => {
                out.push_str("${");
                out.extend(chars.next());
                out.push('}');
            }
            other => out.push(other),
        }
    }
    out
}

/// Python's `re.findall`: the whole matches, or the one group where there is one.
fn matches_of(
    state: &State<'_, '_>,
    text: &str,
    pattern: &str,
    ignore_case: Option<bool>,
) -> Result<Vec<Value>, Error> {
    let regex = compile(state, text, pattern, ignore_case)?;
    let group = usize::from(regex.captures_len() == 2);
    let mut found = Vec::new();
    for captures in regex.captures_iter(text) {
        let start = captures.get(0).map_or(0, |whole| whole.start());
        pay_for_match(state, text.len() - start)?;
        found.push(Value::from(captures.get(group).map_or("", |m| m.as_str())));
    }
    Ok(found)
}

fn find_all(
    state: &State<'_, '_>,
    text: &str,
    pattern: &str,
    ignore_case: Option<bool>,
) -> Result<Value, Error> {
    matches_of(state, text, pattern, ignore_case).map(Value::from)
}

fn find_one(
    state: &State<'_, '_>,
    text: &str,
    pattern: &str,
    index: Option<usize>,
    ignore_case: Option<bool>,
) -> Result<Value, Error> {
    matches_of(state, text, pattern, ignore_case)?
        .into_iter()
        .nth(index.unwrap_or(0))
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the pattern does not occur"))
}
