//! Which host may be asked for, and which pages may send requests that change things.
//!
//! Owner of the Host check (against DNS rebinding) and of the Origin check
//! (against forged requests from other sites). Both are pure.

use std::net::{IpAddr, SocketAddr};

/// The address people use, split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    /// Scheme, host and port, as an `Origin` header has them.
    pub(crate) origin: String,
    /// Host without port, in lower case.
    pub(crate) host: String,
}

impl PublicUrl {
    /// `https://home.example.org` or with a port; no path.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://")?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
        let well_formed = matches!(scheme, "http" | "https")
            && !authority.is_empty()
            && authority.chars().all(plain);
        if !well_formed {
            return None;
        }
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        let authority = authority.strip_suffix(default_port).unwrap_or(authority);
        Some(Self {
            origin: format!("{scheme}://{authority}"),
            host: host_name(authority)?.to_owned(),
        })
    }
}

/// The host of `host`, `host:port` or `[v6]:port`.
pub(crate) fn host_name(authority: &str) -> Option<&str> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => authority
            .split_once(':')
            .map_or((authority, ""), |(host, _)| {
                (host, &authority[host.len()..])
            }),
    };
    let port_is_sane = match rest.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok(),
        None => rest.is_empty(),
    };
    (!host.is_empty() && port_is_sane).then_some(host)
}

/// Hosts that may stand in the `Host` header.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    any_address: bool,
    public: Option<PublicUrl>,
}

impl Hosts {
    /// From the configured names, the listen addresses and the public address.
    pub(crate) fn new(names: &[String], listen: &[SocketAddr], public: Option<PublicUrl>) -> Self {
        let mut all: Vec<String> = names.iter().map(|n| n.to_ascii_lowercase()).collect();
        let unspecified = listen.iter().any(|a| a.ip().is_unspecified());
        if unspecified || listen.iter().any(|a| a.ip().is_loopback()) {
            all.push("localhost".into());
        }
        Self {
            names: all,
            addresses: listen.iter().map(SocketAddr::ip).collect(),
            // A name can be made to point anywhere, an address cannot: when the hub
            // listens on every address, whichever the client reached is its own.
            any_address: unspecified,
            public,
        }
    }

    /// Whether this `Host` header is one of ours.
    pub(crate) fn allows(&self, header: &str) -> bool {
        let Some(host) = host_name(header) else {
            return false;
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.any_address
                || self.addresses.contains(&address)
                || self.names.iter().any(|name| name == host)
                || self.is_public(host);
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.names.contains(&host) || self.is_public(&host)
    }

    fn is_public(&self, host: &str) -> bool {
        self.public.as_ref().is_some_and(|p| p.host == host)
    }

    /// Whether a request that changes things may come from there.
    ///
    /// Neither header is sent by programs that are no browsers; they carry no
    /// cookies of a victim either, so the absence of both is no danger.
    pub(crate) fn allows_origin(
        &self,
        sec_fetch_site: Option<&str>,
        origin: Option<&str>,
        scheme: &str,
        host: &str,
    ) -> bool {
        if let Some(site) = sec_fetch_site {
            return matches!(site, "same-origin" | "none");
        }
        let Some(origin) = origin else {
            return true;
        };
        let own = format!("{scheme}://{host}");
        origin.eq_ignore_ascii_case(&own)
            || self
                .public
                .as_ref()
                .is_some_and(|p| origin.eq_ignore_ascii_case(&p.origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listen: &str, public: Option<&str>) -> Hosts {
        Hosts::new(
            &["hub.local".into(), "192.168.1.5".into()],
            &[listen.parse().expect("an address")],
            public.map(|p| PublicUrl::parse(p).expect("an address")),
        )
    }

    #[test]
    fn a_public_address_without_a_name_is_a_host() {
        for (public, host) in [
            ("https://10.1.2.3:8443", "10.1.2.3:8443"),
            ("https://[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert!(hosts("127.0.0.1:8080", Some(public)).allows(host), "{host}");
        }
    }

    #[test]
    fn only_known_names_and_listen_addresses_are_hosts() {
        let hosts = hosts("127.0.0.1:8080", Some("https://home.example.org"));
        for good in [
            "127.0.0.1:8080",
            "localhost:8080",
            "hub.local",
            "HUB.local.:8443",
            "192.168.1.5",
            "home.example.org",
        ] {
            assert!(hosts.allows(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "10.0.0.1",
            "hub.local:evil",
            "hub.local@evil",
            "[::1",
            "hub.local:99999",
        ] {
            assert!(!hosts.allows(bad), "{bad}");
        }
    }

    #[test]
    fn a_hub_on_every_address_answers_to_any_address_but_to_no_strange_name() {
        let hosts = hosts("0.0.0.0:8443", None);
        assert!(hosts.allows("10.1.2.3:8443") && hosts.allows("[fe80::1]:8443"));
        assert!(!hosts.allows("rebound.example:8443"));
    }

    #[test]
    fn a_request_of_another_site_is_refused_and_a_program_is_not() {
        let hosts = hosts("127.0.0.1:8080", Some("https://home.example.org"));
        let ask = |site, origin| hosts.allows_origin(site, origin, "http", "127.0.0.1:8080");
        assert!(ask(None, None));
        assert!(ask(Some("same-origin"), Some("null")));
        assert!(ask(None, Some("http://127.0.0.1:8080")));
        assert!(ask(None, Some("https://home.example.org")));
        assert!(!ask(Some("cross-site"), Some("http://127.0.0.1:8080")));
        assert!(!ask(Some("same-site"), None));
        assert!(!ask(None, Some("null")));
        assert!(!ask(None, Some("https://127.0.0.1:8080")));
        assert!(!ask(None, Some("http://127.0.0.1:9999")));
    }

    #[test]
    fn a_public_address_has_scheme_and_host_and_no_path() {
        let url = PublicUrl::parse("https://Home.example.org:443/").expect("good");
        assert_eq!(url.origin, "https://home.example.org");
        assert_eq!(url.host, "home.example.org");
        assert_eq!(
            PublicUrl::parse("http://[::1]:8080").map(|u| u.host),
            Some("::1".into())
        );
        for bad in [
            "",
            "home",
            "ftp://x",
            "https://",
            "https://a/b",
            "https://a?b",
        ] {
            assert_eq!(PublicUrl::parse(bad), None, "{bad}");
        }
    }
}
