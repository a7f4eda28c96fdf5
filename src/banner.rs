//! What is told once everything listens.
//!
//! Owner of standard output while the hub runs. The JSON form is an interface:
//! its names are fixed, and what does not apply is null.

use crate::cli::BannerForm;
use serde::Serialize;
use std::io::Write;

/// What there is to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Banner {
    pub(crate) url: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) setup_code: Option<String>,
    pub(crate) broker: Option<String>,
    pub(crate) sha256: Option<String>,
    pub(crate) sha1: Option<String>,
    pub(crate) ca: Option<String>,
    pub(crate) data_dir: String,
    /// Where phones find it.
    #[serde(skip)]
    pub(crate) lan: Vec<String>,
    /// The web certificate's fingerprint, to compare on a phone.
    #[serde(skip)]
    pub(crate) web_sha256: Option<String>,
}

impl Banner {
    /// With the name and password of whoever may sign in.
    pub(crate) fn with_user(self, user: Option<(String, String)>) -> Self {
        let (user, password) = user.unzip();
        Self {
            user,
            password,
            ..self
        }
    }

    /// Prints it in the form asked for.
    pub(crate) fn print(&self, form: BannerForm) {
        let text = match form {
            BannerForm::Json => self.json(),
            BannerForm::Text => self.text(),
        };
        let mut out = std::io::stdout().lock();
        // A reader that went away must not stop the home.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("a struct of strings always serialises")
    }

    fn text(&self) -> String {
        let mut lines = vec![
            String::new(),
            "  IoT Home is running.".to_owned(),
            String::new(),
        ];
        let mut line = |title: &str, value: Option<&str>| {
            if let Some(value) = value {
                lines.push(format!("  {title:<12} {value}"));
            }
        };
        line("Dashboard", Some(&self.url));
        for (n, address) in self.lan.iter().enumerate() {
            line(if n == 0 { "In the LAN" } else { "" }, Some(address));
        }
        line("Web SHA-256", self.web_sha256.as_deref());
        line("User", self.user.as_deref());
        line("Password", self.password.as_deref());
        line("Set-up code", self.setup_code.as_deref());
        line("Broker", self.broker.as_deref());
        line("SHA-256", self.sha256.as_deref());
        line("SHA-1", self.sha1.as_deref());
        line("Data", Some(&self.data_dir));
        if self.setup_code.is_some() {
            lines.push(String::new());
            lines.push("  Open the dashboard and enter the set-up code to begin.".to_owned());
        }
        lines.push(String::new());
        lines.push("  Press Ctrl-C to stop.".to_owned());
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    fn banner() -> Banner {
        Banner {
            url: "http://127.0.0.1:8080".to_owned(),
            user: Some("demo".to_owned()),
            password: Some("p".to_owned()),
            broker: Some("127.0.0.1:8883".to_owned()),
            data_dir: "/x".to_owned(),
            lan: vec!["https://192.168.1.2:8443".to_owned()],
            ..Banner::default()
        }
    }

    #[test]
    fn the_json_form_is_one_line_with_exactly_the_agreed_names() {
        let json = banner().json();
        assert!(!json.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let mut names: Vec<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        let mut agreed = [
            "url",
            "user",
            "password",
            "setup_code",
            "broker",
            "sha256",
            "sha1",
            "ca",
            "data_dir",
        ];
        agreed.sort_unstable();
        assert_eq!(names, agreed);
        assert!(value["setup_code"].is_null());
        assert_eq!(value["user"], "demo");
    }

    #[test]
    fn people_see_the_addresses_and_the_code() {
        let mut banner = banner();
        banner.setup_code = Some("ABCDE-FGHIJ".to_owned());
        let text = banner.text();
        for part in [
            "http://127.0.0.1:8080",
            "https://192.168.1.2:8443",
            "ABCDE-FGHIJ",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
