//! The bounded inbox of a device.
