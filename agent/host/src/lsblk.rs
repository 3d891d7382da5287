//! `lsblk`: block devices and what is stacked on them.

use serde_json::Value;

use crate::ask::ask;
use crate::{Command, RunError, System, json};

/// A block device, with everything that lies on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// `/dev/nvme0n1`: the kernel's name, which changes from boot to boot.
    pub path: String,
    /// `/dev/mapper/vg0-lv0`: as mounts name it; the same as [`Self::path`] for most.
    pub alias: String,
    /// disk, part, lvm, crypt, raid1, loop, rom…
    pub kind: String,
    /// Bytes, of the whole device.
    pub size_bytes: u64,
    /// Cannot be written.
    pub read_only: bool,
    /// nvme, usb, sata, mmc…; empty when unknown.
    pub transport: String,
    /// As the drive reports it.
    pub model: String,
    /// As the drive reports it, with `_` for each space within, as udev writes it; empty when it does not.
    pub serial: String,
    /// gpt, dos…; empty when there is no partition table.
    pub partition_table: String,
    /// Type of a partition: a GUID for GPT.
    pub partition_type: String,
    /// ext4, LVM2_member, zfs_member, swap…; empty when nothing is known.
    pub content: String,
    /// Name of the file system.
    pub label: String,
    /// Where it is mounted; `[SWAP]` for swap space in use.
    pub mountpoints: Vec<String>,
    /// Partitions, volumes, …
    pub children: Vec<Device>,
}

impl Device {
    /// `nvme0n1`.
    #[must_use]
    pub fn kernel_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// ZFS may have a label on it.
    pub(crate) fn may_be_zfs(&self) -> bool {
        self.content == "zfs_member" || self.partition_type == "6a898cc3-1dd2-11b2-99a6-080020736631"
    }

    /// It and everything on it, however deep.
    #[must_use]
    pub fn stack(&self) -> Vec<&Self> {
        let below = self.children.iter().flat_map(Self::stack);
        std::iter::once(self).chain(below).collect()
    }
}

/// What stands for the content of a device of which lsblk says too little.
pub(crate) const UNREADABLE: &str = "unreadable";

/// Every block device: `lsblk --json -b -p -o …`.
#[must_use]
pub fn command() -> Command {
    Command::new("lsblk").args([
        "--json",
        "-b",
        "-p",
        "-o",
        "NAME,KNAME,PATH,TYPE,SIZE,RO,ROTA,TRAN,MODEL,SERIAL,WWN,PTTYPE,PARTTYPE,FSTYPE,LABEL,UUID,MOUNTPOINTS,PKNAME",
    ])
}

/// Every block device.
///
/// # Errors
/// When the output cannot be read.
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

/// A device of which lsblk does not even say the name.
const NAMELESS: &str = "?";

/// A device of which something is missing or odd hides no other: it is shown with what can be read, refused, and has no
/// serial, so that nothing can be done to it. `kind` stands for a type that is missing.
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
