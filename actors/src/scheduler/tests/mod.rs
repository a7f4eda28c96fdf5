//! The scheduler on paused time, with a house in memory.

mod restarts;
mod running;
mod world;
