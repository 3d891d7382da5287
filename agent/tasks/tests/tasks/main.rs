//! The tasks on machines that can lose power; each module's name says what it tests.

#![expect(clippy::unwrap_used, reason = "a test ends where its machine is not as prepared")]

mod access;
mod adoption;
mod advice;
mod backplane;
mod boot;
mod boot_files;
mod bridge;
mod claims;
mod consent;
mod disks;
mod engine;
mod erase;
mod every_point;
mod extremes;
mod job;
mod journal;
mod life;
mod locale;
mod names;
mod pool;
mod power;
mod proof;
mod reboot;
mod reflash;
mod remains;
mod repositories;
mod safety_rules;
mod sound;
mod stand_in;
mod storages;
mod time_servers;
mod timezone;
