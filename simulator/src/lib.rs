//! Simulated devices that speak real MQTT over TLS, for the demo, tests and benches.
