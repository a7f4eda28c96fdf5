//! The bounded pool that hashes passwords.
