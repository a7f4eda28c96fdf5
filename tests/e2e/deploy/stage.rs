//! The three networks, and a place in them for each service.
//!
//! Owner of namespaces and addresses. Each service is in a namespace of its own with a leg in
//! each network that `docker-compose.yml` gives it; the house's other machines, such as
//! browsers and devices, are where the test runs. Nothing is passed on from one network to
//! another. All of it ends with the namespaces that the test runs in.

use super::apart::run;
use super::compose::{Service, edge_subnet};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd as _;

/// Addresses of machines at home, and one of a machine far away.
pub(super) const HOME: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 10);
pub(super) const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 66);
pub(super) const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);

/// A network: its name, and the address that ends in 0.
const NETWORKS: [(&str, [u8; 3]); 3] = [
    ("edge", [10, 213, 77]),
    ("devices", [172, 30, 251]),
    ("data", [172, 30, 252]),
];
/// The services, in the order of their last numbers.
const SERVICES: [&str; 5] = ["nginx", "hub", "mosquitto", "postgres", "standby"];
const FIRST: u8 = 2;

/// The address of a service in a network.
pub(super) fn address(service: &str, network: &str) -> IpAddr {
    let place = SERVICES.iter().position(|name| *name == service);
    let last = FIRST + u8::try_from(place.expect("a service of the stage")).expect("few");
    let (_, [a, b, c]) = NETWORKS
        .iter()
        .find(|(name, _)| *name == network)
        .expect("known");
    Ipv4Addr::new(*a, *b, *c, last).into()
}

/// The compose file knows no standby: it is a second hub.
pub(super) fn role(service: &str) -> &str {
    if service == "standby" { "hub" } else { service }
}

/// Builds the networks and gives every service its legs.
pub(super) fn build() {
    let [a, b, c] = NETWORKS[0].1;
    assert_eq!(edge_subnet(), format!("{a}.{b}.{c}.0/28"), "as deployed");
    for (name, [a, b, c]) in NETWORKS {
        ip(&format!("link add {name} type bridge"));
        ip(&format!("link set {name} up"));
        // Where ports are published, the machine itself is in the network.
        if name != "data" {
            ip(&format!("addr add {a}.{b}.{c}.1/28 dev {name}"));
        }
    }
    for address in [HOME, NEIGHBOUR, FAR] {
        ip(&format!("addr add {address}/32 dev lo"));
    }
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "0").expect("networks stay apart");
    for service in SERVICES {
        join(service);
    }
}

fn join(service: &str) {
    ip(&format!("netns add {service}"));
    ip(&format!("-n {service} link set lo up"));
    let networks = Service::of(role(service)).networks();
    for network in &networks {
        let (here, address) = (
            format!("{service}-{}", &network[..2]),
            address(service, network),
        );
        ip(&format!(
            "link add {here} type veth peer name {network} netns {service}"
        ));
        ip(&format!("link set {here} master {network} up"));
        ip(&format!("-n {service} addr add {address}/28 dev {network}"));
        ip(&format!("-n {service} link set {network} up"));
    }
    // The way out is by the first network that has one.
    let out = networks.iter().find(|network| *network != "data");
    if let Some((_, [a, b, c])) = NETWORKS
        .iter()
        .find(|(name, _)| Some(*name) == out.map(|n| n.as_str()))
    {
        ip(&format!("-n {service} route add default via {a}.{b}.{c}.1"));
    }
}

/// Cuts or mends the leg of a service, as a cable is.
pub(super) fn cable(service: &str, network: &str, plugged: bool) {
    let state = if plugged { "up" } else { "down" };
    ip(&format!("link set {service}-{} {state}", &network[..2]));
}

fn ip(arguments: &str) {
    run("ip", &arguments.split(' ').collect::<Vec<_>>());
}

/// Does something in the namespace of a service.
pub(super) fn within<T: Send + 'static>(
    service: &str,
    act: impl FnOnce() -> T + Send + 'static,
) -> T {
    let link = File::open(format!("/run/netns/{service}")).expect("its namespace is there");
    let thread = std::thread::spawn(move || {
        // This thread alone moves, and does not come back.
        let moved = move_into_link_name_space(link.as_fd(), Some(LinkNameSpaceType::Network));
        moved.expect("root may enter it");
        act()
    });
    thread.join().expect("it does not panic")
}
