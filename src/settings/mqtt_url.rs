//! The address of a broker that is not ours: `mqtts://user:password@host:port`.
//!
//! Owner of that grammar. It must never accept a broker without TLS.

use crate::secret::Secret;
use percent_encoding::percent_decode_str;

/// MQTT over TLS, as registered with IANA.
const PORT: u16 = 8883;

/// A broker's address and the hub's credentials there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MqttUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
}

impl MqttUrl {
    /// Reads it; the error holds no credentials.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let rest = match text.split_once("://") {
            Some(("mqtts" | "ssl", rest)) => rest,
            Some(("mqtt" | "tcp", _)) => {
                return Err("only TLS is spoken: use mqtts://".to_owned());
            }
            _ => return Err("mqtts://user:password@host:port is needed".to_owned()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let (host, port) = host_and_port(place)?;
        let (username, password) = match login {
            None => (None, None),
            Some(login) => match login.split_once(':') {
                Some((user, password)) => {
                    (Some(decode(user)?), Some(Secret::new(decode(password)?)))
                }
                None => (Some(decode(login)?), None),
            },
        };
        Ok(Self {
            host,
            port,
            username,
            password,
        })
    }
}

fn host_and_port(place: &str) -> Result<(String, u16), String> {
    // An IPv6 address stands in brackets.
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (place, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:%".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return Err("the host is missing or has letters a host cannot have".to_owned());
    }
    let port = match port {
        None => PORT,
        Some(port) => port
            .parse()
            .map_err(|_| format!("{port:?} is not a port between 1 and 65535"))?,
    };
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

fn decode(text: &str) -> Result<String, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| "the user or password is not UTF-8 when decoded".to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn the_parts_are_taken_apart_and_decoded() {
        let url = MqttUrl::parse("mqtts://hub:p%40ss%3a@broker.lan:8884/").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("broker.lan", 8884));
        assert_eq!(url.username.as_deref(), Some("hub"));
        assert_eq!(url.password.unwrap().expose(), "p@ss:");
        let url = MqttUrl::parse("mqtts://[::1]").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("::1", 8883));
        assert_eq!(url.username, None);
    }

    #[test]
    fn a_broker_without_tls_is_refused_and_no_secret_is_told() {
        let error = MqttUrl::parse("mqtt://hub:hunter2@broker").unwrap_err();
        assert!(error.contains("mqtts://"), "{error}");
        for bad in [
            "broker",
            "mqtts://",
            "mqtts://u:hunter2@",
            "mqtts://u:hunter2@h:x",
            "mqtts://u:hunter2@a b",
        ] {
            let error = MqttUrl::parse(bad).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
