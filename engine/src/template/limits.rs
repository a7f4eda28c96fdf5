//! How complicated a template may be.
//!
//! Owner of the check before compiling. The compiler and the values of a template recurse,
//! and a stack that overflows takes the whole hub with it, so depth is bounded here:
//! together the limits stay below half of a worker's 2 MiB, also without optimisation.
//! It must never let pass what it cannot follow.

use super::TemplateError;

/// Deepest nesting of brackets in an expression.
const BRACKETS_MAX: usize = 16;

/// Most operators, filters and attributes in one expression.
const OPERATORS_MAX: usize = 256;

/// Deepest nesting of `if` and `for`.
const STATEMENTS_MAX: usize = 16;

/// Most `elif`, each of which nests in the one before.
const ELIF_MAX: usize = 64;

/// Most statements in all: a list can be nested once more in each.
const TAGS_MAX: usize = 256;

/// Words that nest an expression as an operator does.
const OPERATOR_WORDS: &[&str] = &["not", "and", "or", "is", "in", "if", "else"];

fn refused(problem: &str) -> TemplateError {
    TemplateError::Syntax(problem.to_owned())
}

#[derive(Default)]
struct Counts {
    depth: usize,
    elifs: usize,
    tags: usize,
}

/// Whether the source is simple enough to compile.
pub(super) fn check(source: &str) -> Result<(), TemplateError> {
    let mut counts = Counts::default();
    let mut rest = source;
    while let Some(start) = rest.find('{') {
        rest = &rest[start + 1..];
        match rest.bytes().next() {
            Some(b'#') => rest = comment(&rest[1..])?,
            Some(b'{') => rest = expression(&rest[1..])?.1,
            Some(b'%') => {
                let (tag, after) = expression(&rest[1..])?;
                counts.statement(tag)?;
                rest = after;
            }
            _ => {}
        }
    }
    Ok(())
}

fn comment(rest: &str) -> Result<&str, TemplateError> {
    match rest.split_once("#}") {
        Some((_, after)) => Ok(after),
        None => Err(refused("a comment does not end")),
    }
}

/// Reads to the end of a `{{ }}` or `{% %}`; gives its first word and what follows it.
fn expression(rest: &str) -> Result<(&str, &str), TemplateError> {
    let body = rest.trim_start_matches(['-', '+']).trim_start();
    let word_end = body
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(body.len());
    let first = &body[..word_end];
    let bytes = rest.as_bytes();
    let (mut brackets, mut operators, mut i) = (0_usize, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(i) {
        let next = bytes.get(i + 1);
        match byte {
            b'}' | b'%' if brackets == 0 && next == Some(&b'}') => {
                return Ok((first, &rest[i + 2..]));
            }
            b'\'' | b'"' => i = end_of_text(bytes, i)?,
            b'(' | b'[' | b'{' => {
                brackets += 1;
                operators += 1;
            }
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            b'.' if next.is_some_and(u8::is_ascii_digit) => {}
            b'-' | b'+' | b'*' | b'/' | b'%' | b'~' | b'|' | b'.' | b'<' | b'>' | b'=' | b'!' => {
                operators += 1;
            }
            _ if byte.is_ascii_alphabetic() || byte == b'_' => {
                let end = end_of_word(bytes, i);
                if OPERATOR_WORDS.contains(&&rest[i..end]) {
                    operators += 1;
                }
                i = end - 1;
            }
            _ => {}
        }
        if brackets > BRACKETS_MAX || operators > OPERATORS_MAX {
            return Err(refused("an expression is too complicated"));
        }
        i += 1;
    }
    Err(refused("an expression does not end"))
}

/// The index of the quote that ends the text which begins at `start`.
fn end_of_text(bytes: &[u8], start: usize) -> Result<usize, TemplateError> {
    let mut i = start + 1;
    while let Some(&byte) = bytes.get(i) {
        match byte {
            b'\\' => i += 1,
            _ if byte == bytes[start] => return Ok(i),
            _ => {}
        }
        i += 1;
    }
    Err(refused("a text does not end"))
}

fn end_of_word(bytes: &[u8], start: usize) -> usize {
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    start + bytes[start..].iter().take_while(|b| word(b)).count()
}

impl Counts {
    fn statement(&mut self, word: &str) -> Result<(), TemplateError> {
        self.tags += 1;
        match word {
            "if" | "for" => self.depth += 1,
            "endif" | "endfor" => self.depth = self.depth.saturating_sub(1),
            "elif" => self.elifs += 1,
            "else" | "set" => {}
            // Macros, includes and the like: no device brings them, and each is a way to recurse.
            _ => return Err(refused("only if, for and set are allowed as statements")),
        }
        if self.depth > STATEMENTS_MAX || self.elifs > ELIF_MAX || self.tags > TAGS_MAX {
            return Err(refused("there are too many statements"));
        }
        Ok(())
    }
}
