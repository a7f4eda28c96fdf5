//! Who is at the other end: address and scheme, with or without a proxy between.
//!
//! Owner of the rule that forwarded headers are believed only from trusted
//! proxies. It must never trust a header by itself.

use ipnet::IpNet;
use std::net::IpAddr;

/// The client of a request, as far as it can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Whether its connection is encrypted (up to the proxy, if there is one).
    pub(crate) secure: bool,
    /// Whether a trusted proxy speaks for it.
    pub(crate) proxied: bool,
    /// Whether any forwarding header was there, trusted or not.
    pub(crate) forwarded: bool,
    /// The `Host` header: what the client asked for, with its port.
    pub(crate) host: String,
}

impl Client {
    /// Whether it is a program on this machine that no proxy speaks for.
    pub(crate) const fn is_local(&self) -> bool {
        self.address.is_loopback() && !self.proxied && !self.forwarded
    }

    /// The port that the client asked for, if it named one.
    pub(crate) fn port(&self) -> Option<u16> {
        self.host.rsplit_once(':')?.1.parse().ok()
    }

    /// `http` or `https`.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// What the connection and the headers say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard<'a> {
    /// Address of the peer of the connection.
    pub(crate) peer: IpAddr,
    /// Whether the connection itself is TLS.
    pub(crate) tls: bool,
    /// All `X-Forwarded-For` values, joined by commas in the order received.
    pub(crate) forwarded_for: &'a str,
    /// `X-Forwarded-Proto`.
    pub(crate) forwarded_proto: &'a str,
    /// `Host`.
    pub(crate) host: &'a str,
}

/// Whether the address belongs to a trusted proxy.
pub(crate) fn is_trusted(address: IpAddr, proxies: &[IpNet]) -> bool {
    let address = address.to_canonical();
    proxies.iter().any(|network| network.contains(&address))
}

/// Works out the client.
pub(crate) fn resolve(heard: Heard<'_>, proxies: &[IpNet]) -> Client {
    let peer = heard.peer.to_canonical();
    let proxied = is_trusted(peer, proxies);
    let forwarded = !heard.forwarded_for.is_empty() || !heard.forwarded_proto.is_empty();
    if !proxied {
        return Client {
            address: peer,
            secure: heard.tls,
            proxied,
            forwarded,
            host: heard.host.to_owned(),
        };
    }
    Client {
        address: first_stranger(heard.forwarded_for, proxies).unwrap_or(peer),
        secure: heard.tls || last_value(heard.forwarded_proto).eq_ignore_ascii_case("https"),
        proxied,
        forwarded,
        host: heard.host.to_owned(),
    }
}

/// From the nearest hop outwards: the first address that is no trusted proxy is the client;
/// what stands left of it was written by a stranger.
fn first_stranger(forwarded_for: &str, proxies: &[IpNet]) -> Option<IpAddr> {
    let mut nearest = None;
    for hop in forwarded_for.rsplit(',') {
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            return nearest;
        };
        let address = address.to_canonical();
        nearest = Some(address);
        if !is_trusted(address, proxies) {
            return nearest;
        }
    }
    nearest
}

fn last_value(list: &str) -> &str {
    list.rsplit(',').next().unwrap_or("").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard<'a>(peer: &str, forwarded_for: &'a str, proto: &'a str) -> Heard<'a> {
        Heard {
            peer: peer.parse().expect("an address"),
            tls: false,
            forwarded_for,
            forwarded_proto: proto,
            host: "home.example.org",
        }
    }

    fn proxies() -> Vec<IpNet> {
        vec!["10.0.0.0/8".parse().expect("a network")]
    }

    fn address(client: &Client) -> String {
        client.address.to_string()
    }

    #[test]
    fn a_stranger_cannot_claim_another_address_or_https() {
        let client = resolve(heard("192.0.2.1", "127.0.0.1", "https"), &proxies());
        assert_eq!(address(&client), "192.0.2.1");
        assert!(!client.secure && !client.proxied);
        let client = resolve(heard("127.0.0.1", "127.0.0.1", ""), &[]);
        assert!(!client.is_local(), "an unknown proxy speaks for someone");
    }

    #[test]
    fn behind_a_trusted_proxy_the_last_stranger_is_the_client() {
        let header = "6.6.6.6, 198.51.100.7, 10.0.0.2";
        let client = resolve(heard("10.0.0.1", header, "https"), &proxies());
        assert_eq!(address(&client), "198.51.100.7");
        assert!(client.secure && client.proxied && !client.is_local());
    }

    #[test]
    fn nonsense_in_the_header_falls_back_to_the_nearest_known_hop() {
        let client = resolve(heard("10.0.0.1", "unknown", ""), &proxies());
        assert_eq!(address(&client), "10.0.0.1");
        let client = resolve(heard("10.0.0.1", "evil, 10.0.0.9", ""), &proxies());
        assert_eq!(address(&client), "10.0.0.9");
    }

    #[test]
    fn an_ipv4_peer_on_a_dual_stack_socket_is_still_ipv4() {
        let client = resolve(heard("::ffff:10.0.0.1", "192.0.2.9", ""), &proxies());
        assert_eq!(address(&client), "192.0.2.9");
        assert!(
            resolve(heard("::ffff:127.0.0.1", "", ""), &[])
                .address
                .is_loopback()
        );
    }
}
