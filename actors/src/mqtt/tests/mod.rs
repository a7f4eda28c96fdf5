//! The MQTT side against a real Mosquitto.
