//! Which port is taken.
//!
//! Owner of the one exception to what the settings say: the demo may go to the next
//! free port when a default one is busy.

use crate::error::StartError;
use crate::settings::Bind;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// Ports tried after a busy default: enough for several demos on one machine.
const TRIED: u16 = 50;

/// Says early and exactly whether the address can be listened on; the answer is the
/// address, or the next free one if `may_move`.
fn free(bind: &Bind, may_move: bool) -> Result<SocketAddr, StartError> {
    let mut address = bind.address;
    for _ in 0..TRIED {
        match TcpListener::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) if error.kind() == ErrorKind::AddrInUse && may_move => {
                let Some(next) = address.port().checked_add(1) else {
                    break;
                };
                address.set_port(next);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return Err(StartError::PortInUse {
                    address,
                    setting: bind.setting.clone(),
                });
            }
            Err(source) => {
                return Err(StartError::Address {
                    address,
                    setting: bind.setting.clone(),
                    source,
                });
            }
        }
    }
    Err(StartError::NoFreePort {
        address: bind.address,
        tried: TRIED,
        setting: bind.setting.clone(),
    })
}

/// The address to listen on.
pub(crate) fn choose(bind: &Bind) -> Result<SocketAddr, StartError> {
    free(bind, bind.may_move)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    fn bind(address: SocketAddr, may_move: bool) -> Bind {
        Bind {
            address,
            may_move,
            setting: "IOTHOME_X_LISTEN".to_owned(),
        }
    }

    #[test]
    fn a_busy_port_is_refused_by_name_and_only_a_demos_default_moves_on() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = choose(&bind(address, false)).unwrap_err().to_string();
        assert!(error.contains("IOTHOME_X_LISTEN"), "{error}");
        assert!(error.contains(&address.port().to_string()), "{error}");
        let moved = choose(&bind(address, true)).unwrap();
        assert_ne!(moved.port(), address.port());
    }

    #[test]
    fn port_nought_is_left_to_the_system() {
        let any = bind(([127, 0, 0, 1], 0).into(), false);
        assert_eq!(choose(&any).unwrap().port(), 0);
    }
}
