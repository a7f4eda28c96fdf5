//! The numbered rows of the form: steps and conditions.
//!
//! Owner of their numbering. A row is the fields `a0_…`, `a1_…` (steps) or `c0_…`
//! (conditions); taking one away closes the gap.

use std::collections::BTreeMap;

/// What was typed, by field.
pub(super) type Values = BTreeMap<String, String>;
/// The fields of one row, without its number.
pub(super) type Row = BTreeMap<String, String>;

/// Rows read at most: the engine allows fifty, and says so of one more.
const ROWS_MAX: usize = 51;

/// Takes the rows of a letter out, in their order.
pub(super) fn take(values: &mut Values, letter: char) -> Vec<Row> {
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    values.retain(|key, value| {
        let Some((n, part)) = numbered(key, letter) else {
            return true;
        };
        let row = rows.entry(n).or_default();
        row.insert(part.to_owned(), std::mem::take(value));
        false
    });
    rows.into_values().take(ROWS_MAX).collect()
}

/// The same without taking them out.
pub(super) fn rows(values: &Values, letter: char) -> Vec<Row> {
    take(&mut values.clone(), letter)
}

/// Puts rows in, numbered anew.
pub(super) fn put(values: &mut Values, letter: char, rows: Vec<Row>) {
    for (n, row) in rows.into_iter().enumerate() {
        for (part, value) in row {
            values.insert(format!("{letter}{n}_{part}"), value);
        }
    }
}

fn numbered(key: &str, letter: char) -> Option<(usize, &str)> {
    let (n, part) = key.strip_prefix(letter)?.split_once('_')?;
    Some((n.parse().ok()?, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_order_and_close_their_gaps() {
        let mut values: Values = [
            ("a10_device", "late"),
            ("a2_device", "early"),
            ("a2_what", "light/turn_on"),
            ("add_device", "x"),
            ("at", "y"),
            ("c0_kind", "sun"),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
        let rows = take(&mut values, 'a');
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["device"], "early");
        assert!(values.contains_key("add_device") && values.contains_key("c0_kind"));
        put(&mut values, 'a', rows);
        assert_eq!(values["a1_device"], "late");
        assert_eq!(values["a0_what"], "light/turn_on");
    }
}
