//! The embedded MQTT broker of IoT Home: TLS, credentials and access lists from the hub.
