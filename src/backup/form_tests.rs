//! What the form of a backup promises.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]
use super::*;
use std::io::Cursor;

fn made(passphrase: Option<&str>) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), passphrase, vec!["house".into()]).unwrap();
    let columns = vec!["name".to_owned(), "at".to_owned()];
    let table = BackupLine::Table {
        name: "rooms".into(),
        columns,
    };
    writer.database(&table).unwrap();
    let row = |n: i64| BackupLine::Row(vec![format!("Küche \"{n}\"\n").into(), n.into()]);
    for n in 0..2_000 {
        writer.database(&row(n)).unwrap();
    }
    let large: Vec<u8> = (0..FILE_PIECE + 9).map(|n| (n % 256) as u8).collect();
    writer.file("tls/ca.pem", &mut Cursor::new(large)).unwrap();
    writer.file("tls/ca.key", &mut Cursor::new("")).unwrap();
    writer.finish().unwrap().0
}

fn read(bytes: Vec<u8>, passphrase: Option<&str>) -> Result<(Count, usize), StartError> {
    let mut reader = Reader::begin(Cursor::new(bytes), passphrase)?;
    let mut bytes_of_files = 0;
    while let Some(line) = reader.next()? {
        if let Line::File { bytes, at, .. } = line {
            assert!(at == 0 || at == FILE_PIECE as u64);
            bytes_of_files += bytes.len();
        }
    }
    Ok((reader.count(), bytes_of_files))
}

#[test]
fn all_that_was_written_is_read_sealed_or_not() {
    let all = Count {
        rows: 2_000,
        files: 2,
    };
    for passphrase in [None, Some("correct horse")] {
        let (count, bytes) = read(made(passphrase), passphrase).unwrap();
        assert_eq!((count, bytes), (all, FILE_PIECE + 9));
    }
}

#[test]
fn a_cut_or_a_flipped_bit_anywhere_is_noticed() {
    for passphrase in [None, Some("correct horse")] {
        let whole = made(passphrase);
        for part in 0..8 {
            let length = whole.len() * part / 8;
            assert!(read(whole[..length].to_vec(), passphrase).is_err());
        }
        assert!(read(whole[..whole.len() - 1].to_vec(), passphrase).is_err());
        // Sealing is slow, so fewer places there. Bytes 4 to 9 of the compressed form are its
        // date and the system it was made on: they say nothing of what is inside.
        let step = if passphrase.is_some() { 4_001 } else { 97 };
        for at in (10..whole.len()).step_by(step) {
            // The last bits of the compressed text, before eight bytes of checks, may mean nothing.
            if at + 9 == whole.len() {
                continue;
            }
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            assert!(read(flipped, passphrase).is_err(), "at {at}");
        }
        let mut longer = whole.clone();
        longer.extend(b"more");
        assert!(read(longer, passphrase).is_err());
    }
}

#[test]
fn a_line_that_was_taken_out_is_noticed_though_it_is_compressed_well() {
    use flate2::read::GzDecoder;
    let mut text = String::new();
    let whole = made(None);
    GzDecoder::new(whole.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(5);
    let mut again = GzEncoder::new(Vec::new(), Compression::fast());
    again
        .write_all((lines.join("\n") + "\n").as_bytes())
        .unwrap();
    let error = read(again.finish().unwrap(), None).unwrap_err().to_string();
    assert!(error.contains("nothing was changed"), "{error}");
}

#[test]
fn what_is_no_backup_what_is_newer_and_a_missing_passphrase_are_told_apart() {
    let told = |bytes: Vec<u8>| read(bytes, None).unwrap_err().to_string();
    assert!(told(b"hello".to_vec()).contains("no backup"));
    assert!(told(Vec::new()).contains("no backup"));
    assert!(told(made(Some("correct horse"))).contains("--passphrase-file"));
    let mut newer = GzEncoder::new(Vec::new(), Compression::fast());
    newer
        .write_all(b"{\"iothome_backup\":2,\"version\":\"9.1\"}\n")
        .unwrap();
    let error = told(newer.finish().unwrap());
    assert!(error.contains("form 2") && error.contains("9.1"), "{error}");
    assert!(check_passphrase("short").is_err() && check_passphrase("long enough").is_ok());
}
