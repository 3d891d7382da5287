use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Content, Disk, DiskSpec};
use super::fault::Fault;
use super::log::Entry;
use super::pace::Pace;
use super::power::Loss;
use super::state::State;

/// A simulated machine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Machine(Arc<Mutex<State>>);

impl Machine {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.look();
        state.only_read = false;
        state.shown.borrow_mut().clear();
        state
    }

    /// A lock for callers that change nothing.
    pub(super) fn look(&self) -> MutexGuard<'_, State> {
        // After a panic at an unknown command, a test may still read the state.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.only_read = true;
        state
    }

    /// The number of points passed so far; [`Self::lose_at`] takes one of them.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.lock().power.points()
    }

    /// Cuts the power at this point, counted from the creation of the machine. No call returns after that until
    /// [`Self::boot`].
    pub fn cut_power_at(&self, point: u64) {
        self.lose_at(point, Loss::Power);
    }

    /// Like [`Self::cut_power_at`], for any kind of loss. When only the agent is killed, calls return again after
    /// [`Self::restart_agent`].
    pub fn lose_at(&self, point: u64, loss: Loss) {
        self.lock().power.plan(point, loss);
    }

    /// Cuts the power now.
    pub fn cut_power(&self) {
        self.lock().power.lose(Loss::Power);
    }

    /// The loss that happened; None when none did.
    #[must_use]
    pub fn loss(&self) -> Option<Loss> {
        self.lock().power.loss()
    }

    /// Waits for a loss. To be used with `select!` beside the code that uses the machine, which then never returns.
    pub async fn lost(&self) -> Loss {
        let mut watch = self.lock().power.watch();
        let loss = watch.wait_for(Option::is_some).await.ok().and_then(|loss| *loss);
        match loss {
            Some(loss) => loss,
            None => std::future::pending().await,
        }
    }

    /// Boots the machine: a new boot id, the same disks.
    pub fn boot(&self) {
        self.lock().boot();
    }

    /// Lets calls return again after the agent was killed; the machine itself kept running.
    pub fn restart_agent(&self) {
        let mut state = self.lock();
        state.power.restore();
        state.kernel.in_order = None;
    }

    /// All calls so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.lock().log.clone()
    }

    /// Empties the log.
    pub fn clear_log(&self) {
        self.lock().log.clear();
    }

    /// The next run of `of` fails with `fault`. `of` is a program with its first arguments (up to an `@` in them, or
    /// none), a unit that is started, or the path of a file that is written.
    pub fn fail_next(&self, of: &str, fault: Fault) {
        self.lock().faults.push_back((of.to_owned(), fault));
    }

    /// Removes the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Sets the clock, Unix milliseconds.
    pub fn set_clock(&self, ms: u64) {
        self.lock().clock.set(ms);
    }

    /// Sets whether a pool has no room for a snapshot.
    pub fn set_pool_full(&self, name: &str, is: bool) {
        let mut state = self.lock();
        for pool in state.kernel.pools.iter_mut().filter(|pool| pool.config.name == name) {
            pool.full = is;
        }
    }

    /// Sets whether the root file system is full: files can then be shortened and removed only.
    pub fn set_card_full(&self, is: bool) {
        self.lock().os.full = is;
    }

    /// Advances the clock and the time since boot.
    pub fn pass(&self, time: std::time::Duration) {
        self.lock().clock.skip(time);
    }

    /// A person installs chrony, whose package removes systemd-timesyncd.
    pub fn install_chrony(&self) {
        self.lock().install_chrony();
    }

    /// Sets what `vcgencmd get_throttled` says: bit 0 for too little power now, bit 16 since the boot.
    pub fn set_throttled(&self, bits: u32) {
        self.lock().board.throttled = bits;
    }

    /// Sets whether a time server confirms the clock.
    pub fn set_clock_synchronised(&self, is: bool) {
        self.lock().kernel.clock_synchronised = is;
    }

    /// A hash of the disk's bytes; None when this machine has no disk with the serial.
    #[must_use]
    pub fn hash_disk(&self, serial: &str) -> Option<u64> {
        let state = self.lock();
        let all = state.disks.iter().chain(&state.drawer);
        all.into_iter()
            .find(|disk| disk.serial == serial)
            .map(|disk| disk.bytes.hash())
    }

    /// Whether every byte of the disk is zero; false when there is no such disk.
    #[must_use]
    pub fn is_blank(&self, serial: &str) -> bool {
        let state = self.lock();
        state
            .disk_of(serial)
            .is_some_and(|disk| state.disks[disk].bytes.is_zero())
    }

    /// Writes to a disk without the machine.
    pub fn write_disk(&self, serial: &str, offset: u64, bytes: &[u8]) {
        let mut state = self.lock();
        if let Some(disk) = state.disk_of(serial) {
            state.disks[disk].bytes.write(offset, bytes);
        }
    }

    /// Unplugs a disk, which keeps its content.
    pub fn pull_disk(&self, serial: &str) {
        let mut state = self.lock();
        if let Some(disk) = state.disk_of(serial) {
            let pulled = state.disks.remove(disk);
            state.drawer.push(pulled);
            let holds = |open: &super::zfs::Open| open.serial.as_deref() == Some(serial);
            if state.kernel.pools.iter().any(|pool| pool.open.iter().any(holds)) {
                state.post("ereport.fs.zfs.vdev.open_failed");
                state.post("resource.fs.zfs.statechange");
                state.post("resource.fs.zfs.removed");
            }
        }
    }

    /// Plugs an unplugged disk into its slot.
    pub fn insert_disk(&self, serial: &str) {
        let mut state = self.lock();
        if let Some(disk) = state.drawer.iter().position(|disk| disk.serial == serial) {
            let mut inserted = state.drawer.remove(disk);
            inserted.sequence = state.next_sequence();
            let taken: Vec<usize> = state.disks.iter().map(|disk| disk.number).collect();
            if taken.contains(&inserted.number) {
                inserted.number = (0..).find(|number| !taken.contains(number)).unwrap_or(0);
            }
            state.disks.push(inserted);
            // zed brings the leg online, and ZFS resilvers it.
            let State {
                kernel, disks, clock, ..
            } = &mut *state;
            let holds = |open: &super::zfs::Open| open.serial.as_deref() == Some(serial);
            let now_s = clock.now_ms() / 1000;
            let mut resilvered = false;
            for pool in kernel.pools.iter_mut().filter(|pool| pool.open.iter().any(holds)) {
                pool.resilver = Some(super::zfs::Scrub {
                    start_s: now_s,
                    end_s: now_s,
                });
                pool.sync(disks, now_s);
                resilvered = true;
            }
            if resilvered {
                state.post("resource.fs.zfs.statechange");
                state.post("sysevent.fs.zfs.resilver_start");
                state.post("sysevent.fs.zfs.resilver_finish");
            }
        }
    }

    /// Unplugs a disk and plugs another into its slot.
    pub fn swap_disk(&self, serial: &str, other: &DiskSpec) {
        let mut state = self.lock();
        if let Some(at) = state.disk_of(serial) {
            let (bus, number) = (state.disks[at].bus, state.disks[at].number);
            let mut inserted = Disk::new(other, bus, &mut state.random);
            inserted.number = number;
            inserted.sequence = state.next_sequence();
            let pulled = std::mem::replace(&mut state.disks[at], inserted);
            state.drawer.push(pulled);
        }
    }

    /// Moves a disk with its content to the same slot of another machine. Both should be off.
    pub fn move_disk(&self, serial: &str, to: &Self) {
        let mut here = self.lock();
        if let Some(at) = here.disk_of(serial) {
            let moved = here.disks.remove(at);
            drop(here);
            let mut there = to.lock();
            there.disks.retain(|disk| disk.bus != moved.bus);
            there.disks.push(moved);
        }
    }

    /// Flashes the root disk and boots: a fresh system with the same data disks.
    pub fn replace_root_disk(&self) {
        let mut state = self.lock();
        let mut random = state.random.clone();
        let spec = state.root().map(|root| {
            (
                root.bus,
                root.number,
                root.serial.clone(),
                root.model.clone(),
                root.bytes.size(),
            )
        });
        if let Some((bus, number, serial, model, size_bytes)) = spec {
            let spec = DiskSpec {
                serial,
                model,
                size_bytes,
                content: Content::Root,
            };
            let mut fresh = Disk::new(&spec, bus, &mut random);
            fresh.number = number;
            state.disks.retain(|disk| disk.content != Content::Root);
            state.disks.insert(0, fresh);
        }
        state.random = random;
        state.fresh_system();
        state.boot();
    }

    /// Unplugs the card with this hardware address.
    pub fn pull_nic(&self, mac: &str) {
        let mut state = self.lock();
        if let Some(at) = state.board.nics.iter().position(|nic| nic.mac == mac) {
            let pulled = state.board.nics.remove(at);
            state.kernel.links.retain(|link| link.mac != mac);
            state.board.wire.take(mac);
            state.board.loose.push(pulled);
        }
    }

    /// Plugs an unplugged card in; udev names it, and its configuration is applied.
    pub fn insert_nic(&self, mac: &str) {
        let mut state = self.lock();
        if let Some(at) = state.board.loose.iter().position(|nic| nic.mac == mac) {
            let nic = state.board.loose.remove(at);
            state.board.nics.push(nic.clone());
            state.plugged(&nic);
            state.configure();
        }
    }

    /// Plugs or unplugs the cable of a card.
    pub fn set_carrier(&self, mac: &str, is: bool) {
        let mut state = self.lock();
        if let Some(nic) = state.board.nics.iter_mut().find(|nic| nic.mac == mac) {
            nic.carrier = is;
        }
        state.publish();
    }

    /// Opens a TCP connection to this address of the machine.
    pub fn connect_to(&self, address: &str) {
        self.lock().kernel.connections.push(address.to_owned());
    }

    /// Installs ifupdown2 with this version.
    pub fn install_ifupdown2(&self, version: &str) {
        let mut state = self.lock();
        state.os.ifupdown2 = Some(version.to_owned());
        state.os.files.put_mode("/usr/sbin/ifreload", "", 0o755);
        state.os.units.insert(crate::ifupdown::UNIT.to_owned(), "enabled");
        let interfaces = "auto lo\niface lo inet loopback\n\nsource /etc/network/interfaces.d/*\n";
        state.os.files.put(crate::ifupdown::PATH, interfaces);
    }

    /// The card's addresses with prefix length; None when there is no card of this name.
    #[must_use]
    pub fn addresses(&self, name: &str) -> Option<Vec<String>> {
        let state = self.lock();
        match state.kernel.bridge.as_ref().filter(|bridge| bridge.name == name) {
            Some(bridge) => Some(bridge.address.iter().cloned().collect()),
            None => state.link(name).map(|link| link.addresses().cloned().collect()),
        }
    }

    /// When the guard's timer elapses, Unix milliseconds by the machine's clock; None when it does not run.
    #[must_use]
    pub fn guard_due_ms(&self) -> Option<u64> {
        self.lock().kernel.guard_due_ms
    }

    /// Does what systemd does: runs the undo each time the guard's timer elapses. Never returns; to be used with
    /// `select!` beside the code that uses the machine.
    pub async fn guardian(&self) -> std::convert::Infallible {
        loop {
            let (due, now, pace, set) = {
                let state = self.lock();
                let (now, pace) = (state.clock.now_ms(), state.clock.pace);
                (state.kernel.guard_due_ms, now, pace, Arc::clone(&state.guard_set))
            };
            let Some(due) = due else {
                set.notified().await;
                continue;
            };
            if due <= now && self.loss().is_none() {
                // Its error is ignored, because the tests check the machine. An undo that is killed starts again.
                let _ = crate::guard::undo(self).await;
                let mut state = self.lock();
                if state.kernel.guard_due_ms == Some(due) {
                    state.kernel.guard_due_ms = None;
                }
            }
            match pace {
                Pace::Instant => tokio::task::yield_now().await,
                Pace::Live { .. } => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    }

    /// The content of a file on the root file system or a mounted dataset; None when it does not exist.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.lock().read(Path::new(path)).ok()
    }

    /// Writes a file as another program would. Fails when the folder is immutable or belongs to the kernel.
    pub fn put_file(&self, path: &str, bytes: &[u8]) -> std::io::Result<()> {
        self.lock()
            .change(Path::new(path), |files, path| files.put(path, bytes))
    }

    /// Makes a symbolic link as another program would. Its errors are those of [`Self::put_file`].
    pub fn put_link(&self, path: &str, target: &str) -> std::io::Result<()> {
        self.lock()
            .change(Path::new(path), |files, path| files.link(path, target))
    }
}
