//! The parsers on the programs' recorded output.

#![expect(clippy::unwrap_used, reason = "a test ends where its machine is not as recorded")]

mod disks;
mod doubt;
mod facts;
mod garbage;
mod install;
mod machine;
mod odd;
mod one_odd;
mod packages;
mod pools;
mod proxmox;
mod time_servers;
