//! The coordinator's memory.
