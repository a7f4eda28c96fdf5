//! Whether a client seems to be in the home network.
//!
//! Owner of what counts as a private address. It must never be the only lock of
//! anything: behind address translation the whole world looks private.

use crate::door::client::Client;
use crate::door::origin::host_name;
use std::net::IpAddr;

/// Comes from a private address, and not by the name that the whole world uses.
pub(crate) fn is_at_home(client: &Client, outside_host: Option<&str>) -> bool {
    let asked = host_name(&client.host).unwrap_or_default();
    let asked = asked.trim_end_matches('.');
    let is_outside = outside_host.is_some_and(|outside| asked.eq_ignore_ascii_case(outside));
    !is_outside && is_private(client.address)
}

/// Loopback, link-local, and what RFC 1918 and RFC 4193 set aside for homes.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, host: &str) -> Client {
        Client {
            address: address.parse().expect("an address"),
            secure: true,
            proxied: true,
            forwarded: true,
            host: host.into(),
        }
    }

    #[test]
    fn private_addresses_are_at_home_and_public_ones_are_not() {
        let here = |address| is_at_home(&client(address, "hub.local"), None);
        for home in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.5",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:192.168.1.5",
        ] {
            assert!(here(home), "{home}");
        }
        for away in [
            "8.8.8.8",
            "172.32.0.1",
            "100.64.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!here(away), "{away}");
        }
    }

    #[test]
    fn the_public_device_url_is_away_from_home_however_it_is_written() {
        let outside = Some("0123.balena-devices.com");
        for host in [
            "0123.balena-devices.com",
            "0123.BALENA-devices.com:443",
            "0123.balena-devices.com.",
        ] {
            assert!(!is_at_home(&client("10.0.0.1", host), outside), "{host}");
        }
        assert!(is_at_home(&client("10.0.0.1", "0123.local"), outside));
    }
}
