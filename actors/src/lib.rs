//! The living house: supervised actors for devices, sessions, MQTT and history.
