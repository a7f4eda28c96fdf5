//! The file of retained messages: one line each, the last line of a topic counts.
//!
//! Owner of that file. It must survive being cut off anywhere: a torn line is
//! forgotten, and whole files are put in place by renaming.

use mqtt5::broker::storage::RetainedMessage;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The file is written anew when it is this much larger than what is in it.
const SLACK_BYTES: u64 = 1024 * 1024;

pub(super) struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// The living line of each topic, in bytes.
    sizes: HashMap<String, u64>,
    live_bytes: u64,
    /// A failed write may have left half a line: the next one starts on a fresh line.
    torn: bool,
}

impl Log {
    /// Opens the file and gives the messages in it.
    pub(super) fn open(dir: &Path) -> io::Result<(Self, Vec<RetainedMessage>)> {
        let path = dir.join("retained.jsonl");
        let mut messages: HashMap<String, (RetainedMessage, u64)> = HashMap::new();
        let (mut bytes, mut torn) = (0, false);
        if path.exists() {
            let mut reader = BufReader::new(File::open(&path)?);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 {
                let size = u64::try_from(line.len()).unwrap_or(u64::MAX);
                bytes += size;
                torn = !line.ends_with(b"\n");
                match parse(&line) {
                    Some((topic, Some(message))) => {
                        messages.insert(topic, (message, size));
                    }
                    Some((topic, None)) => {
                        messages.remove(&topic);
                    }
                    None => tracing::warn!("a line of the broker's retained messages is broken"),
                }
                line.clear();
            }
        }
        messages.retain(|_, (message, _)| !message.is_expired());
        let sizes: HashMap<String, u64> = messages
            .iter()
            .map(|(topic, (_, size))| (topic.clone(), *size))
            .collect();
        let log = Self {
            file: append_to(&path)?,
            path,
            bytes,
            live_bytes: sizes.values().sum(),
            sizes,
            torn,
        };
        Ok((log, messages.into_values().map(|(m, _)| m).collect()))
    }

    /// Appends a line per topic, and makes them durable.
    pub(super) fn append(&mut self, lines: &[(String, Option<RetainedMessage>)]) -> io::Result<()> {
        let mut text = Vec::new();
        if self.torn {
            text.push(b'\n');
        }
        let mut sizes = Vec::new();
        for (topic, message) in lines {
            let line = line(topic, message.as_ref())?;
            let size = u64::try_from(line.len()).unwrap_or(u64::MAX);
            sizes.push((topic, message.as_ref().map(|_| size)));
            text.extend_from_slice(&line);
        }
        self.torn = true;
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.torn = false;
        self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
        for (topic, size) in sizes {
            self.count(topic, size);
        }
        if self.bytes > self.live_bytes * 2 + SLACK_BYTES {
            self.rewrite()?;
        }
        Ok(())
    }

    fn count(&mut self, topic: &str, size: Option<u64>) {
        let before = match size {
            Some(size) => self.sizes.insert(topic.to_owned(), size),
            None => self.sizes.remove(topic),
        };
        self.live_bytes = self.live_bytes + size.unwrap_or(0) - before.unwrap_or(0);
    }

    /// Writes the living lines to a new file and puts it in the place of the old one.
    fn rewrite(&mut self) -> io::Result<()> {
        let (fresh, messages) = Self::open(self.path.parent().unwrap_or(Path::new(".")))?;
        let draft = self.path.with_extension("new");
        let mut out = BufWriter::new(private(
            OpenOptions::new().write(true).truncate(true),
            &draft,
        )?);
        let mut bytes = 0;
        let mut sizes = HashMap::new();
        for message in &messages {
            let line = line(&message.topic, Some(message))?;
            out.write_all(&line)?;
            let size = u64::try_from(line.len()).unwrap_or(u64::MAX);
            bytes += size;
            sizes.insert(message.topic.clone(), size);
        }
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_data()?;
        std::fs::rename(&draft, &self.path)?;
        *self = Self {
            file: append_to(&fresh.path)?,
            path: fresh.path,
            bytes,
            sizes,
            live_bytes: bytes,
            torn: false,
        };
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().append(true), path)
}

/// A file that is made is its owner's alone.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    options.create(true).mode(0o600).open(path)
}

/// `{"topic":…,"message":{…}|null}` and a line's end. A payload of text is kept as text.
fn line(topic: &str, message: Option<&RetainedMessage>) -> io::Result<Vec<u8>> {
    let mut value = serde_json::to_value(message)?;
    if let Some(text) = message.and_then(|m| std::str::from_utf8(&m.payload).ok()) {
        value["payload"] = json!(text);
    }
    let mut line = serde_json::to_vec(&json!({ "topic": topic, "message": value }))?;
    line.push(b'\n');
    Ok(line)
}

/// The topic and its message, or `None` if it was cleared; nothing if the line is broken.
fn parse(line: &[u8]) -> Option<(String, Option<RetainedMessage>)> {
    let mut value: Value = serde_json::from_slice(line).ok()?;
    let topic = value["topic"].as_str()?.to_owned();
    let mut message = value["message"].take();
    if let Some(text) = message.get("payload").and_then(Value::as_str) {
        message["payload"] = json!(text.as_bytes());
    }
    let mut message: Option<RetainedMessage> = serde_json::from_value(message).ok()?;
    if let Some(message) = &mut message {
        message.recompute_expiry();
    }
    Some((topic, message))
}
