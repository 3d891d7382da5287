//! The node itself: what every machine needs, with or without a pool.

mod ensure_boot;
mod ensure_locale;
mod ensure_names;
mod ensure_packages;
mod ensure_repositories;
mod ensure_sound;
mod ensure_time;
mod ensure_timezone;
