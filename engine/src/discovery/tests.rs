//! Announcements as real devices send them.
