//! The files that the kernel and udev provide below /proc, /sys and /dev.

use std::path::{Component, Path};
use std::sync::Arc;

use super::disk::Bus;
use super::state::State;
use super::tree::Tree;

impl State {
    /// The tree that contains `path`; None for the root file system's. Built anew for each access, or once as long as
    /// nothing can have changed.
    pub(super) fn kernel_files(&self, path: &Path) -> Option<Arc<Tree>> {
        let top = path.components().find_map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })?;
        let mut shown = self.shown.borrow_mut();
        if let Some((_, tree)) = shown.iter().find(|(name, _)| name == top) {
            return Some(Arc::clone(tree));
        }
        let tree = Arc::new(self.kernel_tree(top)?);
        if self.only_read {
            shown.push((top.to_owned(), Arc::clone(&tree)));
        }
        Some(tree)
    }

    fn kernel_tree(&self, top: &str) -> Option<Tree> {
        let mut tree = Tree::default();
        match top {
            "proc" => self.proc(&mut tree),
            "sys" => self.sys(&mut tree),
            "dev" => self.dev(&mut tree),
            _ => return None,
        }
        for (path, value) in &self.kernel.parameters {
            if tree.has(path) {
                tree.put(path, format!("{value}\n"));
            }
        }
        Some(tree)
    }

    fn proc(&self, tree: &mut Tree) {
        let memory = self.board.memory_bytes / 1024;
        tree.put("/proc/cmdline", format!("{}\n", self.kernel.loaded.line));
        tree.put(
            "/proc/meminfo",
            format!("MemTotal:       {memory:8} kB\nMemFree:        {:8} kB\n", memory / 2),
        );
        let up_ms = self.clock.steady_ms().saturating_sub(self.kernel.up_since_ms);
        let up = format!("{}.{:02}", up_ms / 1000, up_ms % 1000 / 10);
        tree.put("/proc/uptime", format!("{up} {up}\n"));
        tree.put("/proc/mdstat", "Personalities : \nunused devices: <none>\n");
        let kernel = |name: &str| format!("/proc/sys/kernel/{name}");
        tree.put(kernel("hostname"), format!("{}\n", self.os.name));
        tree.put(kernel("arch"), format!("{}\n", self.board.architecture));
        tree.put(kernel("osrelease"), format!("{}\n", self.release()));
        tree.put(kernel("random/boot_id"), format!("{}\n", self.kernel.boot_id));
        let mounts = self.mounts();
        let lines = mounts
            .iter()
            .map(|mount| format!("{} {} {} rw 0 0\n", mount.source, mount.target, mount.kind));
        tree.put("/proc/mounts", lines.collect::<String>());
        let swaps = self
            .kernel
            .swaps
            .iter()
            .map(|path| format!("{path} partition 1048572 0 -2\n"));
        let head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_owned();
        tree.put("/proc/swaps", head + &swaps.collect::<String>());
        self.connections(tree);
        if self.board.architecture == "aarch64" {
            // Strings in the device tree end in NUL.
            tree.put("/proc/device-tree/model", format!("{}\0", self.board.model));
            tree.put("/proc/device-tree/serial-number", format!("{}\0", self.board.serial));
        }
        if self.is_pi() {
            let tried = u32::from(self.kernel.loaded.trial).to_be_bytes();
            tree.put("/proc/device-tree/chosen/bootloader/tryboot", tried);
        }
        if self.kernel.zfs_loaded {
            let size: u64 = self.kernel.pools.len() as u64 * 3_145_728;
            let (limit, least) = (self.arc_limit(), (self.board.memory_bytes / 32).max(32 << 20));
            let rows = [("size", size), ("c", limit), ("c_min", least), ("c_max", limit)];
            let rows = rows.map(|(name, value)| format!("{name:<31} 4    {value}\n")).concat();
            let head = "9 1 0x01 147 39984 6219834014 118731237437\nname                            type data\n";
            for pool in &self.kernel.pools {
                let state = pool.state(&self.disks);
                tree.put(
                    format!("/proc/spl/kstat/zfs/{}/state", pool.config.name),
                    format!("{state}\n"),
                );
            }
            tree.put("/proc/spl/kstat/zfs/arcstats", format!("{head}{rows}"));
        }
    }

    /// The parameter `zfs_arc_max`, else the module's default (2.3 and later).
    fn arc_limit(&self) -> u64 {
        let set = self.kernel.parameters.get(Path::new(super::boot::ARC_MAX));
        let set = set.and_then(|value| value.trim().parse::<u64>().ok()).unwrap_or(0);
        let memory = self.board.memory_bytes;
        if set >= 64 << 20 {
            set
        } else {
            memory.saturating_sub(1 << 30).max(memory / 8 * 5)
        }
    }

    fn sys(&self, tree: &mut Tree) {
        if self.kernel.zfs_loaded {
            tree.put("/sys/module/zfs/version", "2.3.9-0+deb13u1\n");
            tree.put("/sys/module/zfs/parameters/zfs_arc_max", "0\n");
            tree.put("/sys/module/spl/parameters/spl_hostid", "0\n");
        }
        if self.board.architecture != "aarch64" {
            tree.put("/sys/class/dmi/id/product_name", format!("{}\n", self.board.model));
            tree.put("/sys/class/dmi/id/product_serial", format!("{}\n", self.board.serial));
        }
        let memory = if self.counts_memory() { " memory" } else { "" };
        tree.put(
            "/sys/fs/cgroup/cgroup.controllers",
            format!("cpuset cpu io{memory} pids\n"),
        );
        self.block(tree);
        self.cards(tree);
        if let Some(bridge) = &self.kernel.bridge {
            let folder = format!("/sys/devices/virtual/net/{}", bridge.name);
            tree.folder(format!("{folder}/bridge"));
            tree.put(format!("{folder}/type"), "1\n");
            tree.link(format!("/sys/class/net/{}", bridge.name), folder);
        }
        tree.folder("/sys/devices/virtual/net/lo");
        tree.put("/sys/devices/virtual/net/lo/type", "772\n");
        tree.link("/sys/class/net/lo", "/sys/devices/virtual/net/lo");
    }

    fn cards(&self, tree: &mut Tree) {
        for (link, nic) in self.links() {
            let device = format!("/sys/devices/{}/{}", nic.bus, nic.mac);
            let folder = format!("{device}/net/{}", link.name);
            let carrier = nic.carrier && link.up;
            let files = [
                ("address", nic.mac.clone()),
                ("addr_assign_type", "0".to_owned()),
                ("type", "1".to_owned()),
                ("speed", nic.speed_mbit.to_string()),
                ("carrier", u8::from(carrier).to_string()),
                ("operstate", if carrier { "up" } else { "down" }.to_owned()),
            ];
            for (name, value) in files {
                tree.put(format!("{folder}/{name}"), format!("{value}\n"));
            }
            if nic.bus == "usb" {
                tree.put(format!("{device}/speed"), "5000\n");
            }
            tree.folder(format!("/sys/bus/{}/drivers/{}", nic.bus, nic.driver));
            tree.link(format!("{device}/subsystem"), format!("/sys/bus/{}", nic.bus));
            tree.link(
                format!("{device}/driver"),
                format!("/sys/bus/{}/drivers/{}", nic.bus, nic.driver),
            );
            tree.link(format!("{folder}/device"), device);
            let in_bridge = self.port().is_some_and(|(port, _)| port == link);
            if let Some(bridge) = self.kernel.bridge.as_ref().filter(|_| in_bridge) {
                tree.link(
                    format!("{folder}/master"),
                    format!("/sys/devices/virtual/net/{}", bridge.name),
                );
            }
            tree.link(format!("/sys/class/net/{}", link.name), folder);
        }
    }

    /// Somebody's SSH runs over each address from DHCP.
    fn connections(&self, tree: &mut Tree) {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        let hex = |address: &str| {
            let address: std::net::Ipv4Addr = address.split('/').next()?.parse().ok()?;
            Some(format!("{:08X}", u32::from_le_bytes(address.octets())))
        };
        let own = self.kernel.links.iter().filter_map(|link| link.own.as_deref());
        let bridged = self.kernel.bridge.iter().filter_map(|bridge| bridge.address.as_deref());
        let ends = own
            .chain(bridged)
            .chain(self.kernel.connections.iter().map(String::as_str))
            .filter_map(hex);
        let row =
            |end| format!("   0: {end}:0016 01500A0A:D4F2 01 00000000:00000000 02:0009C9B3 00000000 0 0 7093 2\n");
        tree.put("/proc/net/tcp", head.to_owned() + &ends.map(row).collect::<String>());
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
        let row = self
            .default_route()
            .map(|(name, _)| format!("{name}\t00000000\t01500A0A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"));
        tree.put("/proc/net/route", head.to_owned() + &row.unwrap_or_default());
    }

    fn block(&self, tree: &mut Tree) {
        for device in self.devices() {
            let disk = &self.disks[device.disk];
            let name = disk.kernel_name();
            let controller = match disk.bus {
                Bus::Nvme(_) => {
                    let host = format!("/sys/devices/pci0001:00/{}", disk.address());
                    tree.folder(&host);
                    let controller = format!("{host}/nvme/nvme{}", disk.number);
                    tree.link(format!("{controller}/device"), &host);
                    tree.put(format!("{controller}/serial"), format!("{}\n", disk.serial));
                    tree.put(format!("{controller}/model"), format!("{}\n", disk.model));
                    controller
                }
                Bus::Card => format!("/sys/devices/platform/{}/mmc_host/mmc0/mmc0:aaaa", disk.address()),
            };
            let whole = format!("{controller}/{name}");
            let folder = match device.partition {
                None => {
                    tree.link(format!("{whole}/device"), &controller);
                    tree.link(format!("/sys/block/{name}"), &whole);
                    whole
                }
                Some(_) => format!("{whole}/{}", device.name),
            };
            tree.put(format!("{folder}/size"), format!("{}\n", device.size / 512));
            let writes = disk.bytes.writes();
            let counts = format!(
                "{:8} {:8} {:8} {:8} {writes:8} 0 {:8} 0 0 0 0 0 0 0 0 0 0\n",
                9,
                0,
                72,
                1,
                writes * 8
            );
            tree.put(format!("{folder}/stat"), counts);
            if device.partition.is_none() {
                tree.put(format!("{folder}/diskseq"), format!("{}\n", disk.sequence));
                tree.put(format!("{folder}/queue/iostats"), "1\n");
            }
            tree.folder(format!("{folder}/holders"));
            if let Some(holder) = self.holder(&device) {
                tree.folder(format!("/sys/devices/virtual/block/{holder}"));
                tree.link(
                    format!("{folder}/holders/{holder}"),
                    format!("/sys/devices/virtual/block/{holder}"),
                );
            }
            tree.link(format!("/sys/class/block/{}", device.name), folder);
        }
    }

    fn dev(&self, tree: &mut Tree) {
        tree.put("/dev/null", "");
        if self.kernel.zfs_loaded {
            tree.put("/dev/zfs", "");
        }
        tree.folder("/dev/disk/by-id");
        for device in self.devices() {
            tree.put(device.path(), "");
            for name in device.by_id(&self.disks[device.disk]) {
                tree.link(format!("/dev/disk/by-id/{name}"), format!("../../{}", device.name));
            }
        }
    }
}
