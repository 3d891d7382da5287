//! The coordinator and its command line.
