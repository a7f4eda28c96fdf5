//! What this machine is called and where it can be reached.
//!
//! Owner of the names that certificates carry and the banner prints.

use crate::settings::{BalenaDevice, BrokerChoice, BrokerTrust, Settings};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// How browsers come to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Straight to its own listener.
    Own,
    /// Through a proxy on another address, so that the hub's own addresses mean nothing to them.
    Proxy,
}

/// Host names, `localhost`, the addresses, and what the settings add, for certificates.
pub(crate) fn certificate_names(
    more: &[String],
    public_url: Option<&str>,
    reach: Reach,
) -> Vec<String> {
    let mut names: BTreeSet<String> = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .into_iter()
        .collect();
    if let Some(host) = host_name() {
        if !host.contains('.') {
            // What phones and laptops find by multicast DNS.
            names.insert(format!("{host}.local"));
        }
        names.insert(host);
    }
    if reach == Reach::Own {
        names.extend(addresses().iter().map(ToString::to_string));
    }
    names.extend(more.iter().map(|n| n.to_lowercase()));
    names.extend(public_url.and_then(host_of));
    names.into_iter().collect()
}

/// The names that the certificates of this hub carry.
pub(crate) fn of(settings: &Settings) -> Vec<String> {
    let reach = match settings.https {
        Some(_) => Reach::Own,
        None => Reach::Proxy,
    };
    let mut more = settings.names.clone();
    more.extend(settings.balena.as_ref().map(BalenaDevice::local_host));
    if let BrokerChoice::Given { url, trust, .. } = &settings.broker
        && *trust == BrokerTrust::Ca(settings.data_dir.join("tls/ca.pem"))
    {
        // That broker shows a certificate of this house, and is looked for by this name.
        more.push(url.host.clone());
    }
    certificate_names(&more, settings.public_url.as_deref(), reach)
}

/// The addresses of the local network, IPv4 first; not loopback, not link-local.
pub(crate) fn addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut found: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).collect();
    found.retain(|ip| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    });
    found.sort();
    found.dedup();
    found
}

/// The machine's own name, if it is one that a certificate can carry.
fn host_name() -> Option<String> {
    let name = hostname::get().ok()?.into_string().ok()?.to_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_good = !name.is_empty() && name != "localhost" && name.chars().all(plain);
    is_good.then_some(name)
}

/// The host in an address such as `https://home.example:8443`.
pub(crate) fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let place = rest.split('/').next().unwrap_or(rest);
    let host = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => place,
    };
    let host = host.trim_matches(['[', ']']).to_lowercase();
    Some(host).filter(|h| !h.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_name_this_machine_and_what_the_settings_add() {
        let more = ["Home.Example".to_owned()];
        let names = certificate_names(&more, Some("https://door.example:8443"), Reach::Own);
        for name in ["localhost", "127.0.0.1", "home.example", "door.example"] {
            assert!(names.contains(&name.to_owned()), "{name} of {names:?}");
        }
    }

    #[test]
    fn the_host_is_found_in_an_address() {
        assert_eq!(host_of("https://a.b:1/x").as_deref(), Some("a.b"));
        assert_eq!(host_of("https://[::1]:8443").as_deref(), Some("::1"));
        assert_eq!(host_of("nonsense"), None);
    }
}
