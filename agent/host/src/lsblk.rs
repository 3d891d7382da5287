//! `lsblk`: block devices and what is stacked on them.

use serde_json::Value;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// A block device, with all devices on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// The kernel's path, such as `/dev/nvme0n1`; changes from boot to boot.
    pub path: String,
    /// The path that mounts show, such as `/dev/mapper/vg0-lv0`; for most the same as [`Self::path`].
    pub alias: String,
    /// disk, part, lvm, crypt, raid1, loop, rom…
    pub kind: String,
    /// Size of the whole device in bytes.
    pub size_bytes: u64,
    /// Whether it is read-only.
    pub read_only: bool,
    /// nvme, usb, sata, mmc…; empty when unknown.
    pub transport: String,
    /// Model that the drive reports; may be empty.
    pub model: String,
    /// Serial that the drive reports, with `_` for each inner space, as udev writes it; empty when there is none.
    pub serial: String,
    /// gpt, dos…; empty when it has no partition table.
    pub partition_table: String,
    /// Type of a partition, a GUID on GPT; empty for other devices.
    pub partition_type: String,
    /// ext4, LVM2_member, zfs_member, swap…; empty when nothing is recognised.
    pub content: String,
    /// Label of the file system; may be empty.
    pub label: String,
    /// Mountpoints; `[SWAP]` for swap in use.
    pub mountpoints: Vec<String>,
    /// Partitions, volumes…
    pub children: Vec<Device>,
}

impl Device {
    /// The last part of [`Self::path`], such as `nvme0n1`.
    pub fn kernel_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    pub(crate) fn may_be_zfs(&self) -> bool {
        self.content == "zfs_member" || self.partition_type == "6a898cc3-1dd2-11b2-99a6-080020736631"
    }

    /// The device and all devices on it, at any depth.
    pub fn stack(&self) -> Vec<&Self> {
        let below = self.children.iter().flat_map(Self::stack);
        std::iter::once(self).chain(below).collect()
    }
}

/// The content of a device that lsblk reports incompletely.
pub(crate) const UNREADABLE: &str = "unreadable";

/// `lsblk --json -b -p -o …`: all block devices.
pub fn command() -> Command {
    Command::look("lsblk").args([
        "--json",
        "-b",
        "-p",
        "-o",
        "NAME,KNAME,PATH,TYPE,SIZE,RO,ROTA,TRAN,MODEL,SERIAL,WWN,PTTYPE,PARTTYPE,FSTYPE,LABEL,UUID,MOUNTPOINTS,PKNAME",
    ])
}

/// All block devices that are not on another one. Fails when the program fails, or its output cannot be read.
pub async fn devices(host: &dyn System) -> Result<Vec<Device>, RunError> {
    let command = command();
    let output = ask(host, &command).await?;
    parse(&command, &output.stdout)
}

pub(crate) fn parse(command: &Command, text: &str) -> Result<Vec<Device>, RunError> {
    let value = json::parse(command, text)?;
    let devices = value
        .get("blockdevices")
        .and_then(Value::as_array)
        .ok_or_else(|| RunError::unreadable(command, "no blockdevices in it"))?;
    let read: Vec<Device> = devices.iter().map(|device| read(device, "disk")).collect();
    match !devices.is_empty() && read.iter().all(|device| device.path == NAMELESS) {
        true => Err(RunError::unreadable(command, "no device is as expected")),
        false => Ok(read),
    }
}

/// The path of a device for which lsblk gives no name.
const NAMELESS: &str = "?";

/// A device with missing fields does not affect the others. It is shown with what can be read, is refused, and has no
/// serial, so that nothing can be done to it. `kind` replaces a missing type.
fn read(device: &Value, kind: &str) -> Device {
    let text = |key| json::text(device, key).unwrap_or_default().trim().to_owned();
    let named = ["kname", "path", "name"]
        .into_iter()
        .find_map(|key| json::text(device, key));
    let size = json::number(device, "size");
    let whole = ["kname", "path", "type"].iter().all(|key| !text(key).is_empty()) && size.is_some();
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    let path = or(text("kname"), named.unwrap_or(NAMELESS));
    let mut read = Device {
        alias: or(text("path"), &path),
        path,
        kind: or(text("type"), kind),
        size_bytes: size.unwrap_or(0),
        read_only: json::truth(device, "ro"),
        transport: text("tran"),
        model: text("model"),
        serial: text("serial").replace(char::is_whitespace, "_"),
        partition_table: text("pttype"),
        partition_type: text("parttype"),
        content: text("fstype"),
        label: text("label"),
        mountpoints: json::list(device, "mountpoints")
            .iter()
            .filter_map(|point| Some(point.as_str()?.to_owned()))
            .collect(),
        children: json::list(device, "children")
            .iter()
            .map(|child| self::read(child, "part"))
            .collect(),
    };
    if !whole {
        (read.content, read.read_only) = (UNREADABLE.to_owned(), true);
        read.serial.clear();
    }
    read
}
