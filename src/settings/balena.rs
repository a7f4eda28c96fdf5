//! What the hub can know of itself when balena runs it.
//!
//! Owner of the names that follow from the device's id, which balena's supervisor
//! gives to every container. It must never reach out for anything.

use std::collections::BTreeMap;

/// The variable with the device's id.
const DEVICE_ID: &str = "BALENA_DEVICE_UUID";
/// Letters of the id that make the machine's host name.
const SHORT: usize = 7;

/// A device of a balena fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BalenaDevice {
    id: String,
}

impl BalenaDevice {
    /// From the variables; an id that could not be one is as good as none, since nobody here
    /// set it.
    pub(crate) fn find(variables: &BTreeMap<String, String>) -> Option<Self> {
        let id = variables.get(DEVICE_ID)?.to_lowercase();
        let is_id = (32..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
        is_id.then_some(Self { id })
    }

    /// The host name of the public device URL, where TLS is ended outside.
    pub(crate) fn public_host(&self) -> String {
        format!("{}.balena-devices.com", self.id)
    }

    /// What the home network finds by multicast DNS.
    pub(crate) fn local_host(&self) -> String {
        let short = self.id.get(..SHORT).unwrap_or(&self.id);
        format!("{short}.local")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(id: &str) -> Option<BalenaDevice> {
        BalenaDevice::find(&BTreeMap::from([(DEVICE_ID.to_owned(), id.to_owned())]))
    }

    #[test]
    fn a_device_of_balena_knows_its_two_names() {
        let device = found("0123456789ABCDEF0123456789abcdef").expect("an id");
        assert_eq!(
            device.public_host(),
            "0123456789abcdef0123456789abcdef.balena-devices.com"
        );
        assert_eq!(device.local_host(), "0123456.local");
    }

    #[test]
    fn what_is_no_id_gives_no_name() {
        for bad in ["", "evil.example", "0123456789abcdef", &"é".repeat(32)] {
            assert_eq!(found(bad), None, "{bad}");
        }
        assert_eq!(BalenaDevice::find(&BTreeMap::new()), None);
    }
}
