//! Batched writing of history.
