//! The node itself: what every machine needs, with or without a pool.

mod ensure_locale;
mod ensure_timezone;
