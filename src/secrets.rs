//! Random texts: passwords and tokens that the program makes up.
//!
//! Owner of their length and alphabet. Never fewer than 128 random bits.

use crate::error::StartError;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use iothome_actors::Seal;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// A password a person can type: 26 letters and digits without look-alikes, in groups.
pub(crate) fn password() -> Result<String, StartError> {
    let text = BASE32_NOPAD.encode(&random::<16>()?).to_lowercase();
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters.chunks(5).map(|g| g.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// A token that only programs see.
pub(crate) fn token() -> Result<String, StartError> {
    Ok(HEXLOWER.encode(&random::<32>()?))
}

/// SHA-256 in lower-case hex, as the broker's access list wants it.
#[cfg(feature = "embedded")]
pub(crate) fn digest(text: &str) -> String {
    use sha2::Digest;
    HEXLOWER.encode(&sha2::Sha256::digest(text.as_bytes()))
}

/// The seal whose key is in this file, made if it is not there.
pub(crate) fn seal(file: &Path) -> Result<Seal, StartError> {
    let failed = |problem: &dyn std::fmt::Display| {
        StartError::Other(format!("{}: {problem}", file.display()))
    };
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let mode = file
                .metadata()
                .map_err(|e| failed(&e))?
                .permissions()
                .mode();
            if mode & 0o077 != 0 {
                let problem = format!("others may read it (mode {:o}): chmod 600", mode & 0o777);
                return Err(failed(&problem));
            }
            let key = HEXLOWER.decode(text.trim().as_bytes()).ok();
            let key = key.and_then(|key| key.try_into().ok());
            let problem = "it holds no key of 64 hexadecimal digits: put it back from a backup, or remove it and give each device a new password";
            Ok(Seal::new(&key.ok_or_else(|| failed(&problem))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = random::<32>()?;
            write_private(file, &HEXLOWER.encode(&key)).map_err(|e| failed(&e))?;
            Ok(Seal::new(&key))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// Written whole or not at all, for the hub's user only.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let draft = file.with_extension("new");
    let mut options = std::fs::File::options();
    let mut opened = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    std::fs::rename(&draft, file)
}

/// Bytes from the system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|e| StartError::Other(format!("the system gives no random bytes: {e}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at once")]
    use super::*;

    #[test]
    fn a_password_is_typable_and_never_the_same() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.replace('-', "").len(), 26);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(one.chars().all(plain), "{one}");
    }

    #[test]
    fn a_seals_key_is_made_once_for_its_owner_alone_and_a_wider_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("accounts.key");
        seal(&file).unwrap();
        let made = std::fs::read_to_string(&file).unwrap();
        seal(&file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), made);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = seal(&file).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
        std::fs::write(&file, "no key").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(seal(&file).is_err());
    }

    #[cfg(feature = "embedded")]
    #[test]
    fn the_digest_is_sha_256_in_hex() {
        // FIPS 180-2, appendix B.1.
        assert!(digest("abc").starts_with("ba7816bf8f01cfea"));
    }
}
