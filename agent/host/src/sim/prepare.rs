use super::machine::Machine;
use super::power::{Gone, Loss, Power};
use super::program;
use super::state::State;
use crate::{Command, Output};

/// How a pool was left on its disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// `zpool export`.
    Exported,
    /// `zpool destroy`.
    Destroyed,
    /// Its machine, of another name and host id, went down with it.
    ByAnotherHost,
    /// Exported, with a feature that the ZFS here does not know.
    WithUnknownFeature,
}

/// Of the machine that leaves a pool [`Left::ByAnotherHost`].
const OTHER: (&str, u32) = ("k8sctl-elsewhere", 0x0a0a_5099);

impl Machine {
    /// A person types a command: no point is passed, nothing is logged, and power does not fail.
    ///
    /// # Panics
    /// At a command line that nobody taught the machine.
    pub fn by_hand(&self, program: &'static str, args: &[&str]) -> Output {
        let command = Command::new(program).args(args.iter().copied());
        let done = self.lock().aside(Power::on(), |state| program::run(state, &command));
        done.unwrap_or_default()
    }

    /// The power goes at this point of a command, 0 and up, and comes back. False when it came to its end before.
    ///
    /// # Panics
    /// As [`Self::by_hand`].
    pub fn interrupted(&self, point: u64, program: &'static str, args: &[&str]) -> bool {
        let command = Command::new(program).args(args.iter().copied());
        let mut power = Power::on();
        power.plan(point, Loss::Power);
        let mut state = self.lock();
        let cut = state.aside(power, |state| program::run(state, &command)).is_err();
        state.boot();
        cut
    }

    /// There was a pool of this name on these disks, with a dataset `old` in it.
    ///
    /// # Panics
    /// When it cannot be made there.
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

    /// The guid of the imported pool of this name.
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
    let create = Command::new("zpool").args(["create", "-o", "cachefile=none", "-O", "mountpoint=none", name]);
    let steps = [
        create.args(mirror).args(legs),
        Command::new("zfs").args(["create", &format!("{name}/old")]),
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
    let output = program::run(state, &Command::new("zpool").args([verb, name]))?;
    Ok((!output.ok()).then_some(output))
}

impl State {
    /// With another plug than the one that the test pulls.
    fn aside<T>(&mut self, power: Power, act: impl FnOnce(&mut Self) -> Result<T, Gone>) -> Result<T, Gone> {
        let ours = std::mem::replace(&mut self.power, power);
        let done = act(self);
        self.power = ours;
        done
    }
}
