//! What the home's certificate authority keeps, renews and refuses.
#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use super::*;
use std::os::unix::fs::PermissionsExt;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|n| (*n).to_owned()).collect()
}

fn home() -> (tempfile::TempDir, PathBuf, Vec<String>, SystemTime) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("tls");
    let names = names(&["localhost", "hub.local", "127.0.0.1", "::1"]);
    (dir, folder, names, SystemTime::now())
}

#[test]
fn a_second_start_finds_everything_as_it_was() {
    let (_keep, dir, names, now) = home();
    let first = Authority::open_or_create(&dir, &names, now).unwrap();
    let (broker, web) = (first.broker().unwrap(), first.web().unwrap());
    let second = Authority::open_or_create(&dir, &names, now + DAY * 100).unwrap();
    assert_eq!(second.ca_pem(), first.ca_pem());
    assert_eq!(second.broker().unwrap().fingerprints, broker.fingerprints);
    assert_eq!(second.web().unwrap().fingerprints, web.fingerprints);
    let mut wanted = names.clone();
    wanted.sort();
    assert_eq!(web.names, wanted);
}

#[test]
fn new_names_make_the_web_certificate_anew_and_keep_the_brokers() {
    let (_keep, dir, mut names, now) = home();
    let first = Authority::open_or_create(&dir, &names, now).unwrap();
    names.push("192.168.7.9".to_owned());
    let second = Authority::open_or_create(&dir, &names, now).unwrap();
    assert_eq!(
        second.broker().unwrap().fingerprints,
        first.broker().unwrap().fingerprints
    );
    assert!(
        second
            .web()
            .unwrap()
            .names
            .contains(&"192.168.7.9".to_owned())
    );
}

#[test]
fn the_web_certificate_renews_itself_a_third_before_its_end() {
    let (_keep, dir, names, now) = home();
    let authority = Authority::open_or_create(&dir, &names, now).unwrap();
    let before = authority.web().unwrap();
    let early = now + DAY * (WEB_DAYS - WEB_RENEW_DAYS - 2);
    assert_eq!(authority.renew_web(early).unwrap(), Renewal::Kept);
    let late = now + DAY * (WEB_DAYS - WEB_RENEW_DAYS + 1);
    assert_eq!(authority.renew_web(late).unwrap(), Renewal::Renewed);
    let after = authority.web().unwrap();
    assert_ne!(after.fingerprints, before.fingerprints);
    assert!(after.not_after > late + DAY * (WEB_DAYS - 2));
}

#[test]
fn the_brokers_certificate_lasts_ten_years_and_is_never_made_anew() {
    let (_keep, dir, names, now) = home();
    let first = Authority::open_or_create(&dir, &names, now).unwrap();
    let broker = first.broker().unwrap();
    assert!(broker.not_after > now + DAY * 3_640);
    let much_later = now + DAY * 4_000;
    let later = Authority::open_or_create(&dir, &names, much_later).unwrap();
    assert_eq!(later.broker().unwrap().fingerprints, broker.fingerprints);
}

#[test]
fn files_are_private_and_open_ones_are_refused() {
    let (_keep, dir, names, now) = home();
    Authority::open_or_create(&dir, &names, now).unwrap();
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for file in ["ca.key", "broker.key", "web.key", "ca.pem"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
    let key = dir.join("broker.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = Authority::open_or_create(&dir, &names, now).unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = Authority::open_or_create(&dir, &names, now).unwrap_err();
    assert!(error.to_string().contains("chmod 700"), "{error}");
}

#[test]
fn a_lost_or_foreign_broker_key_is_an_error_not_a_new_fingerprint() {
    let (_keep, dir, names, now) = home();
    let authority = Authority::open_or_create(&dir, &names, now).unwrap();
    let before = authority.broker().unwrap().fingerprints;
    let key = dir.join("broker.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let error = Authority::open_or_create(&dir, &names, now).unwrap_err();
    assert!(matches!(error, TlsError::Half { .. }), "{error}");
    std::fs::copy(dir.join("web.key"), &key).unwrap();
    let error = Authority::open_or_create(&dir, &names, now).unwrap_err();
    assert!(matches!(error, TlsError::Bad { .. }), "{error}");
    std::fs::write(&key, kept).unwrap();
    let again = Authority::open_or_create(&dir, &names, now).unwrap();
    assert_eq!(again.broker().unwrap().fingerprints, before);
}

#[test]
fn a_first_start_cut_short_is_repaired() {
    let (_keep, dir, names, now) = home();
    private_dir(&dir).unwrap();
    write_private(&dir.join("ca.key"), "half").unwrap();
    assert!(Authority::open_or_create(&dir, &names, now).is_ok());
}

#[test]
fn the_brokers_certificate_changes_only_when_told_and_is_known_beforehand() {
    let (_keep, dir, names, now) = home();
    let authority = Authority::open_or_create(&dir, &names, now).unwrap();
    let present = authority.broker().unwrap().fingerprints;
    assert!(authority.next_broker().unwrap().is_none());
    assert!(matches!(
        authority.switch_broker(),
        Err(TlsError::NothingPrepared)
    ));

    let next = authority.prepare_broker(now).unwrap().fingerprints;
    assert_ne!(next, present);
    assert_eq!(authority.prepare_broker(now).unwrap().fingerprints, next);
    assert_eq!(authority.broker().unwrap().fingerprints, present);

    authority.switch_broker().unwrap();
    let again = Authority::open_or_create(&dir, &names, now).unwrap();
    assert_eq!(again.broker().unwrap().fingerprints, next);
    assert!(again.next_broker().unwrap().is_none());
}

#[test]
fn a_switch_cut_short_is_finished_at_the_next_start() {
    let (_keep, dir, names, now) = home();
    let authority = Authority::open_or_create(&dir, &names, now).unwrap();
    let next = authority.prepare_broker(now).unwrap();
    std::fs::rename(&next.key_pem, dir.join("broker.key")).unwrap();
    let again = Authority::open_or_create(&dir, &names, now).unwrap();
    assert_eq!(again.broker().unwrap().fingerprints, next.fingerprints);
}
