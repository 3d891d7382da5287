//! The fleet in one process.
