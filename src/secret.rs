//! Texts that must not be seen.
//!
//! Owner of redaction. A secret leaves only through `expose`, which is easy to look for.

use std::fmt;

/// A password, a token, or an address that holds one.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// An address with what stands before its `@` taken out.
pub(crate) fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "[secret]".to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://[secret]@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
        assert_eq!(
            without_credentials("mqtts://hub:p@ss@broker.lan:8883"),
            "mqtts://[secret]@broker.lan:8883"
        );
        assert_eq!(without_credentials("sqlite:/x.db"), "[secret]");
        assert_eq!(
            without_credentials("mqtts://broker.lan"),
            "mqtts://broker.lan"
        );
    }
}
