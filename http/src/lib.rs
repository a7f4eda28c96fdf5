//! The web door of IoT Home: pages, REST v1 and live streams.
