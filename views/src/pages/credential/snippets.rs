//! Ready code and configuration for what connects to the broker.
//!
//! Owner of their syntax. Every name from outside is quoted in the language it stands
//! in: a topic must never become code.

use iothome_engine::kind::Kind;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What stands in a snippet as long as the password is not known.
pub const NO_PASSWORD: &str = "YOUR-PASSWORD";

/// Entities in one snippet: firmware with more is written by people who need none.
const ENTITIES_MAX: usize = 24;

/// What every snippet needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Host name or address of the broker.
    pub host: String,
    /// Its TLS port.
    pub port: u16,
    /// MQTT user.
    pub username: String,
    /// Its password, if it is known at this moment.
    pub password: Option<String>,
    /// SHA-256 of the broker's certificate.
    pub sha256: Option<String>,
    /// SHA-1 of it.
    pub sha1: Option<String>,
    /// Whether the hub's own authority vouches for the broker.
    pub own_ca: bool,
    /// The base of the topics: `iothome/<device>`, or a bridge's prefix.
    pub base: String,
    /// Where it says that it is there.
    pub availability: Option<String>,
    /// What it has.
    pub entities: Vec<SnippetEntity>,
}

/// One thing of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnippetEntity {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Where commands come.
    pub command_topic: Option<String>,
    /// Where it reports.
    pub state_topic: Option<String>,
    /// A payload that it could report.
    pub example: String,
}

impl Connection {
    fn password(&self) -> &str {
        self.password.as_deref().unwrap_or(NO_PASSWORD)
    }

    fn entities(&self) -> impl Iterator<Item = &SnippetEntity> {
        self.entities.iter().take(ENTITIES_MAX)
    }

    fn url(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("mqtts://{host}:{}", self.port)
    }
}

/// A text in double quotes, as C, YAML and Python read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A word of a shell command.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A name in a comment: on one line.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || c == '\\' { ' ' } else { c })
        .take(100)
        .collect()
}

/// A sketch for ESP8266 with PubSubClient.
pub fn arduino_esp8266(c: &Connection) -> String {
    let print = c
        .sha1
        .as_deref()
        .unwrap_or("SHA-1 FINGERPRINT OF THE BROKER");
    let check = "  net.setFingerprint(FINGERPRINT);\n";
    let open = "";
    sketch(
        c,
        "ESP8266WiFi.h",
        "BearSSL::WiFiClientSecure",
        print,
        check,
        open,
    )
}

/// A sketch for ESP32 with PubSubClient.
pub fn arduino_esp32(c: &Connection) -> String {
    let print = c
        .sha256
        .as_deref()
        .unwrap_or("SHA-256 FINGERPRINT OF THE BROKER");
    let check = "  net.setInsecure();  // connect() checks the fingerprint instead\n";
    let open = "    if (!net.connect(BROKER, BROKER_PORT) || !net.verify(FINGERPRINT, nullptr)) {\n      \
                net.stop();\n      delay(5000);\n      continue;\n    }\n";
    sketch(
        c,
        "WiFiClientSecure.h",
        "WiFiClientSecure",
        print,
        check,
        open,
    )
}

fn sketch(
    c: &Connection,
    include: &str,
    client: &str,
    print: &str,
    check: &str,
    open: &str,
) -> String {
    let (mut on_message, mut subscribe) = (String::new(), String::new());
    for entity in c.entities() {
        let Some(topic) = &entity.command_topic else {
            continue;
        };
        let _ = writeln!(subscribe, "      mqtt.subscribe({}, 1);", quoted(topic));
        let _ = writeln!(
            on_message,
            "  if (strcmp(topic, {}) == 0) {{\n    // {}: do it here",
            quoted(topic),
            comment(&entity.name)
        );
        if let Some(state) = &entity.state_topic {
            let _ = writeln!(
                on_message,
                "    // then report what is true now\n    mqtt.publish({}, text.c_str(), true);",
                quoted(state)
            );
        }
        on_message.push_str("  }\n");
    }
    let mut reports = String::new();
    let sensors = c.entities().filter(|e| e.command_topic.is_none());
    for (entity, topic) in sensors.filter_map(|e| Some((e, e.state_topic.as_ref()?))) {
        let (topic, value) = (quoted(topic), quoted(&entity.example));
        let _ = writeln!(
            reports,
            "  // mqtt.publish({topic}, {value}, true);  // {}",
            comment(&entity.name)
        );
    }
    let (connect, online) = match &c.availability {
        Some(topic) => (
            format!(
                "mqtt.connect(USERNAME, USERNAME, PASSWORD, {}, 1, true, \"offline\")",
                quoted(topic)
            ),
            format!("      mqtt.publish({}, \"online\", true);\n", quoted(topic)),
        ),
        None => (
            "mqtt.connect(USERNAME, USERNAME, PASSWORD)".to_owned(),
            String::new(),
        ),
    };
    format!(
        "#include <{include}>\n#include <PubSubClient.h>\n\n\
         const char* WIFI_NAME = \"your Wi-Fi\";\nconst char* WIFI_PASSWORD = \"its password\";\n\
         const char* BROKER = {};\nconst uint16_t BROKER_PORT = {};\n\
         const char* USERNAME = {};\nconst char* PASSWORD = {};\nconst char* FINGERPRINT = {};\n\n\
         {client} net;\nPubSubClient mqtt(net);\n\n\
         void onMessage(char* topic, byte* payload, unsigned int length) {{\n  String text;\n  \
         for (unsigned int i = 0; i < length; i++) text += (char)payload[i];\n{on_message}}}\n\n\
         void connect() {{\n  while (!mqtt.connected()) {{\n{open}    if ({connect}) {{\n{online}{subscribe}    \
         }} else {{\n      delay(5000);\n    }}\n  }}\n}}\n\n\
         void setup() {{\n  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);\n  \
         while (WiFi.status() != WL_CONNECTED) delay(250);\n{check}  \
         mqtt.setServer(BROKER, BROKER_PORT);\n  mqtt.setBufferSize(1024);\n  \
         mqtt.setCallback(onMessage);\n}}\n\n\
         void loop() {{\n  connect();\n  mqtt.loop();\n{reports}}}\n",
        quoted(&c.host),
        c.port,
        quoted(&c.username),
        quoted(c.password()),
        quoted(print),
    )
}

/// A configuration for ESPHome.
pub fn esphome(c: &Connection) -> String {
    let name = c.base.rsplit('/').next().unwrap_or_default();
    let mut yaml = format!(
        "esphome:\n  name: {}\n\nmqtt:\n  broker: {}\n  port: {}\n  username: {}\n  password: {}\n  \
         client_id: {}\n  topic_prefix: {}\n  discovery: false\n  discover_ip: false\n",
        quoted(&name.replace('_', "-")),
        quoted(&c.host),
        c.port,
        quoted(&c.username),
        quoted(c.password()),
        quoted(&c.username),
        quoted(&c.base),
    );
    if let Some(topic) = &c.availability {
        for (message, word) in [("birth_message", "online"), ("will_message", "offline")] {
            let _ = writeln!(
                yaml,
                "  {message}:\n    topic: {}\n    payload: {word}\n    retain: true",
                quoted(topic)
            );
        }
    }
    if let Some(sha1) = &c.sha1 {
        let plain: String = sha1.chars().filter(char::is_ascii_hexdigit).collect();
        let _ = writeln!(
            yaml,
            "  # ESP8266; on ESP32 give certificate_authority instead: the content of ca.crt\n  \
             ssl_fingerprints:\n    - {}",
            quoted(&plain.to_lowercase())
        );
    }
    let mut components: BTreeMap<&str, String> = BTreeMap::new();
    for entity in c.entities() {
        let part = components.entry(entity.kind.as_str()).or_default();
        esphome_entity(part, entity);
    }
    for (component, parts) in components {
        let _ = write!(yaml, "\n{component}:\n{parts}");
    }
    yaml
}

fn esphome_entity(yaml: &mut String, entity: &SnippetEntity) {
    let _ = writeln!(
        yaml,
        "  - platform: template\n    name: {}",
        quoted(&entity.name)
    );
    let topics = [
        ("command_topic", &entity.command_topic),
        ("state_topic", &entity.state_topic),
    ];
    for (key, topic) in topics {
        if let Some(topic) = topic {
            let _ = writeln!(yaml, "    {key}: {}", quoted(topic));
        }
    }
    if entity.command_topic.is_some() && entity.kind != Kind::Button {
        yaml.push_str("    optimistic: true\n");
    }
}

/// Commands for the console of Tasmota. `topic` is the device's own topic.
pub fn tasmota(c: &Connection, topic: &str) -> String {
    // The console ends a command at a semicolon and takes everything else as it is.
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|c| !c.is_control() && *c != ';');
        kept.collect()
    };
    format!(
        "Backlog MqttHost {}; MqttPort {}; MqttUser {}; MqttPassword {}\n\
         Backlog SetOption103 1; SetOption132 1; MqttFingerprint1 {}\n\
         Backlog Topic {}; FullTopic %prefix%/%topic%/; SetOption19 0\n",
        plain(&c.host),
        c.port,
        plain(&c.username),
        plain(c.password()),
        ["00"; 20].join(" "),
        plain(topic),
    )
}

/// The part of Zigbee2MQTT's `configuration.yaml`.
pub fn zigbee2mqtt(c: &Connection) -> String {
    let ca = if c.own_ca {
        "  ca: /app/data/ca.crt\n"
    } else {
        ""
    };
    format!(
        "homeassistant:\n  enabled: true\nmqtt:\n  base_topic: {}\n  server: {}\n  user: {}\n  \
         password: {}\n{ca}  reject_unauthorized: true\n  version: 5\n",
        quoted(&c.base),
        quoted(&c.url()),
        quoted(&c.username),
        quoted(c.password()),
    )
}

/// Commands of the Mosquitto clients: what the device would do.
pub fn mosquitto(c: &Connection) -> String {
    let trust = if c.own_ca {
        "--cafile ca.crt"
    } else {
        "--tls-use-os-certs"
    };
    let common = format!(
        "-h {} -p {} {trust} -u {} -P {}",
        shell(&c.host),
        c.port,
        shell(&c.username),
        shell(c.password()),
    );
    let mut text = String::new();
    for entity in c.entities() {
        if let Some(topic) = &entity.command_topic {
            let _ = writeln!(
                text,
                "# {}: hear commands\nmosquitto_sub {common} -q 1 -v -t {}",
                comment(&entity.name),
                shell(topic)
            );
        }
        if let Some(topic) = &entity.state_topic {
            let _ = writeln!(
                text,
                "# {}: report\nmosquitto_pub {common} -q 1 -t {} -m {}",
                comment(&entity.name),
                shell(topic),
                shell(&entity.example)
            );
        }
    }
    if text.is_empty() {
        let topic = format!("{}/availability", c.base);
        let _ = writeln!(
            text,
            "# say that it is there\nmosquitto_pub {common} -q 1 -t {} -m online",
            shell(&topic)
        );
    }
    text
}

/// A program in Python with paho-mqtt.
pub fn python(c: &Connection) -> String {
    let (mut subscribe, mut branches) = (String::new(), String::new());
    for entity in c.entities() {
        let Some(topic) = &entity.command_topic else {
            continue;
        };
        let _ = writeln!(subscribe, "    client.subscribe({}, qos=1)", quoted(topic));
        let _ = writeln!(
            branches,
            "    if message.topic == {}:\n        # {}: do it here\n        print(message.payload)",
            quoted(topic),
            comment(&entity.name)
        );
        if let Some(state) = &entity.state_topic {
            let _ = writeln!(
                branches,
                "        client.publish({}, message.payload, qos=1)",
                quoted(state)
            );
        }
    }
    let sensors = c.entities().filter(|e| e.command_topic.is_none());
    for (entity, topic) in sensors.filter_map(|e| Some((e, e.state_topic.as_ref()?))) {
        let (topic, value) = (quoted(topic), quoted(&entity.example));
        let _ = writeln!(
            subscribe,
            "    client.publish({topic}, {value}, qos=1)  # {}",
            comment(&entity.name)
        );
    }
    if subscribe.is_empty() {
        subscribe.push_str("    print(\"connected\")\n");
    }
    if branches.is_empty() {
        branches.push_str("    print(message.topic, message.payload)\n");
    }
    let ca = if c.own_ca { "ca_certs=\"ca.crt\"" } else { "" };
    let will = c.availability.as_ref().map_or_else(String::new, |topic| {
        format!(
            "client.will_set({}, \"offline\", qos=1, retain=True)\n",
            quoted(topic)
        )
    });
    let online = c.availability.as_ref().map_or_else(String::new, |topic| {
        format!(
            "    client.publish({}, \"online\", qos=1, retain=True)\n",
            quoted(topic)
        )
    });
    format!(
        "import paho.mqtt.client as mqtt\n\n\n\
         def on_connect(client, userdata, flags, reason, properties):\n{online}{subscribe}\n\n\
         def on_message(client, userdata, message):\n{branches}\n\n\
         client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)\n\
         client.username_pw_set({}, {})\nclient.tls_set({ca})\n{will}\
         client.on_connect = on_connect\nclient.on_message = on_message\n\
         client.connect({}, {})\nclient.loop_forever()\n",
        quoted(&c.username),
        quoted(c.password()),
        quoted(&c.host),
        c.port,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Connection {
        Connection {
            host: "broker.local".into(),
            port: 8883,
            username: "lamp".into(),
            password: Some("p'; rm -rf /; $(reboot) \"x\"".into()),
            base: "iothome/lamp".into(),
            entities: vec![SnippetEntity {
                name: "Na\nme */ # \"\\".into(),
                kind: Kind::Switch,
                command_topic: Some("a'b\"c\\d".into()),
                state_topic: Some("$(x)`y`".into()),
                example: "ON".into(),
            }],
            ..Connection::default()
        }
    }

    #[test]
    fn nothing_from_outside_leaves_its_quotes() {
        let c = hostile();
        let pub_line = mosquitto(&c);
        assert!(pub_line.contains(r"-t 'a'\''b"), "{pub_line}");
        assert!(pub_line.contains("-t '$(x)`y`'"), "{pub_line}");
        assert_eq!(pub_line.lines().count(), 4, "a name broke its line");
        assert!(arduino_esp8266(&c).contains(r#"strcmp(topic, "a'b\"c\\d")"#));
        let console = tasmota(&c, "lamp; Reset 1\nReset 1");
        assert!(console.contains("Topic lamp Reset 1Reset 1;"), "{console}");
        assert_eq!(console.lines().count(), 3);
    }

    #[test]
    fn an_address_of_six_words_stands_in_brackets() {
        let c = Connection {
            host: "fd00::1".into(),
            port: 8883,
            base: "zigbee2mqtt".into(),
            own_ca: true,
            ..Connection::default()
        };
        assert!(zigbee2mqtt(&c).contains("server: \"mqtts://[fd00::1]:8883\""));
    }
}
