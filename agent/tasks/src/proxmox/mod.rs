//! Proxmox's own settings, changed through its programs alone.

mod ensure_access;
mod ensure_storages;
mod proxmox_up;
