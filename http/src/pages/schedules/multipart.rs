//! A form with a file, read (RFC 7578): its parts by name, as text.
//!
//! Owner of that little parser. It works on a body that is held and bounded already,
//! and must never trust a part's file name.

use std::collections::BTreeMap;

/// Parts read at most: the form has three.
const PARTS_MAX: usize = 16;

/// The parts, by name; of two with the same name the first.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parts(BTreeMap<String, String>);

/// The boundary that a `Content-Type` names.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let mut params = content_type.split(';').map(str::trim);
    if !params.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let found = params.find_map(|param| {
        let (name, value) = param.split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let found = found.trim_matches('"');
    (1..=70).contains(&found.len()).then(|| found.to_owned())
}

impl Parts {
    /// The parts between boundaries; `None` if the body is no such form, or not text.
    pub(super) fn read(body: &[u8], boundary: &str) -> Option<Self> {
        // Everything that is taken is text, so a body that is none need not be looked at.
        let body = std::str::from_utf8(body).ok()?;
        let mark = format!("\r\n--{boundary}");
        let first = format!("--{boundary}");
        let mut rest = body.strip_prefix(first.as_str())?;
        let mut parts = BTreeMap::new();
        for _ in 0..PARTS_MAX {
            if rest.starts_with("--") {
                return Some(Self(parts));
            }
            let part = rest.strip_prefix("\r\n")?;
            let end = part.find(mark.as_str())?;
            let (head, content) = part[..end].split_once("\r\n\r\n")?;
            if let Some(name) = name_of(head) {
                parts.entry(name).or_insert_with(|| content.to_owned());
            }
            rest = &part[end + mark.len()..];
        }
        None
    }

    /// A part's text; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

fn name_of(head: &str) -> Option<String> {
    let line = head.split("\r\n").find(|line| {
        line.get(..20)
            .is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
    })?;
    let rest = line.split_once("; name=\"")?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_a_file_is_read_part_by_part() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n\
            --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.json\"\r\n\
            Content-Type: application/json\r\n\r\n{\"a\":\r\n1}\r\n--x--\r\n";
        let parts = Parts::read(body.as_bytes(), "x").expect("a form");
        assert_eq!(parts.text("csrf"), "abc");
        assert_eq!(parts.text("file"), "{\"a\":\r\n1}");
        assert_eq!(parts.text("pasted"), "");
    }

    #[test]
    fn what_is_no_form_is_none() {
        for bad in [
            "",
            "--x",
            "--x\r\n",
            "--y\r\n\r\n--y--",
            "--x\r\nno head\r\n--x--",
        ] {
            assert_eq!(Parts::read(bad.as_bytes(), "x"), None, "{bad:?}");
        }
        assert_eq!(Parts::read(b"--x\r\n\xff\r\n\r\n\r\n--x--", "x"), None);
    }

    #[test]
    fn a_boundary_is_taken_from_its_header_only() {
        let of = |text| boundary(text);
        assert_eq!(
            of("multipart/form-data; boundary=\"ab c\""),
            Some("ab c".into())
        );
        assert_eq!(of("multipart/form-data"), None);
        assert_eq!(of("application/json; boundary=x"), None);
    }
}
