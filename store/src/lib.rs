//! Durable state of IoT Home: one store over SQLite or PostgreSQL.
