//! Proxmox's own settings, changed through its programs alone.

mod ensure_access;
mod ensure_storages;
mod guests_can_run;
mod proxmox_up;
