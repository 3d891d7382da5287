use super::machine::Machine;
use super::power::{Gone, Loss, Power};
use super::program;
use super::state::State;
use crate::{Command, Output};

/// How a pool was left on its disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// After `zpool export`.
    Exported,
    /// After `zpool destroy`.
    Destroyed,
    /// Imported by a machine with another name and host id when it lost power.
    ByAnotherHost,
    /// Exported, with a feature that this ZFS does not support.
    WithUnknownFeature,
}

/// Name and host id of the machine of [`Left::ByAnotherHost`].
const OTHER: (&str, u32) = ("k8sctl-elsewhere", 0x0a0a_5099);

impl Machine {
    /// Runs a command as a person would: without points, log and power loss.
    ///
    /// # Panics
    /// For a command line that the simulation does not know.
    pub fn by_hand(&self, program: &'static str, args: &[&str]) -> Output {
        let command = Command::change(program).args(args.iter().copied());
        let done = self.lock().aside(Power::on(), |state| program::run(state, &command));
        done.unwrap_or_default()
    }

    /// Runs a command, loses power at this point of it (from 0), and boots. False when the command ended before that
    /// point.
    ///
    /// # Panics
    /// For a command line that the simulation does not know.
    pub fn interrupted(&self, point: u64, program: &'static str, args: &[&str]) -> bool {
        let command = Command::change(program).args(args.iter().copied());
        let mut power = Power::on();
        power.plan(point, Loss::Power);
        let mut state = self.lock();
        let cut = state.aside(power, |state| program::run(state, &command)).is_err();
        state.boot();
        cut
    }

    /// Leaves a pool with a dataset `old` on these disks.
    ///
    /// # Panics
    /// When the pool cannot be created.
    pub fn leave_pool(&self, name: &str, serials: &[&str], left: Left) {
        let mut state = self.lock();
        let loaded = std::mem::replace(&mut state.kernel.zfs_loaded, true);
        let done = state.aside(Power::on(), |state| leave(state, name, serials, left));
        state.kernel.zfs_loaded = loaded;
        drop(state);
        assert!(
            matches!(done, Ok(None)),
            "could not make pool {name} on {serials:?}: {done:?}"
        );
    }

    /// The guid of the imported pool with this name.
    #[must_use]
    pub fn pool_guid(&self, name: &str) -> Option<u64> {
        let state = self.lock();
        let found = state.kernel.pools.iter().find(|pool| pool.config.name == name);
        found.map(|pool| pool.config.guid)
    }
}

fn leave(state: &mut State, name: &str, serials: &[&str], left: Left) -> Result<Option<Output>, Gone> {
    let path = |serial: &&str| {
        let disk = state.disk_of(serial).map(|disk| &state.disks[disk]);
        format!(
            "/dev/disk/by-id/{}",
            disk.map(|disk| disk.by_id().swap_remove(0)).unwrap_or_default()
        )
    };
    let legs: Vec<String> = serials.iter().map(path).collect();
    let mirror = (legs.len() > 1).then_some("mirror");
    let create = Command::change("zpool").args(["create", "-o", "cachefile=none", "-O", "mountpoint=none", name]);
    let steps = [
        create.args(mirror).args(legs),
        Command::change("zfs").args(["create", &format!("{name}/old")]),
    ];
    for step in steps {
        let output = program::run(state, &step)?;
        if !output.ok() {
            return Ok(Some(output));
        }
    }
    let now_s = state.clock.now_ms() / 1000;
    let at = state.kernel.pools.iter().position(|pool| pool.config.name == name);
    if let (Some(at), Left::ByAnotherHost) = (at, left) {
        let mut pool = state.kernel.pools.remove(at);
        (pool.config.hostname, pool.config.hostid) = (OTHER.0.to_owned(), OTHER.1);
        pool.sync(&mut state.disks, now_s);
        return Ok(None);
    }
    if let (Some(at), Left::WithUnknownFeature) = (at, left) {
        state.kernel.pools[at].config.unknown_feature = Some("com.example:later (of a later release)".to_owned());
    }
    let verb = if left == Left::Destroyed { "destroy" } else { "export" };
    let output = program::run(state, &Command::change("zpool").args([verb, name]))?;
    Ok((!output.ok()).then_some(output))
}

impl State {
    /// Runs `act` with another power supply than the test's.
    fn aside<T>(&mut self, power: Power, act: impl FnOnce(&mut Self) -> Result<T, Gone>) -> Result<T, Gone> {
        let ours = std::mem::replace(&mut self.power, power);
        let done = act(self);
        self.power = ours;
        done
    }
}
