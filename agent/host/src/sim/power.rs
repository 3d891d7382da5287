//! Where the machine can lose power, and the agent its life.

use tokio::sync::watch;

/// What the test wants to happen at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The power goes.
    Power,
    /// The agent is killed; the machine runs on, and what it was asked to do last comes to its end.
    Agent,
    /// The agent is killed, and what it was doing dies with it.
    AgentAndItsWork,
    /// The reboot that was asked for begins.
    Reboot,
}

/// Nothing comes back from here: the caller's machine, or the caller, is no more.
#[derive(Debug)]
pub(super) struct Gone;

/// Counts the points. Every call that changes something, and every program, has one before it, one after it, and one
/// wherever it can be cut in half.
#[derive(Debug)]
pub(super) struct Power {
    points: u64,
    cut: Option<(u64, Loss)>,
    down: watch::Sender<Option<Loss>>,
}

impl Power {
    pub(super) fn on() -> Self {
        Self {
            points: 0,
            cut: None,
            down: watch::Sender::new(None),
        }
    }

    /// A point of ours is passed, unless this is the one where it ends.
    pub(super) fn point(&mut self) -> Result<(), Gone> {
        let here = self.points;
        self.points += 1;
        match self.cut {
            Some((at, loss)) if at == here => {
                self.cut = None;
                self.down.send_replace(Some(loss));
                // Its work goes on until the call would return, where `alive` stops it.
                if loss == Loss::Agent { Ok(()) } else { Err(Gone) }
            }
            _ => Ok(()),
        }
    }

    pub(super) fn alive(&self) -> Result<(), Gone> {
        if self.down.borrow().is_none() {
            Ok(())
        } else {
            Err(Gone)
        }
    }

    pub(super) const fn points(&self) -> u64 {
        self.points
    }

    pub(super) const fn plan(&mut self, point: u64, loss: Loss) {
        self.cut = Some((point, loss));
    }

    pub(super) fn lose(&mut self, loss: Loss) {
        self.down.send_replace(Some(loss));
    }

    pub(super) fn restore(&mut self) {
        self.cut = None;
        self.down.send_replace(None);
    }

    pub(super) fn loss(&self) -> Option<Loss> {
        *self.down.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Loss>> {
        self.down.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_fails_only_at_the_chosen_point() {
        let mut power = Power::on();
        power.plan(2, Loss::Power);
        assert!(power.point().is_ok() && power.point().is_ok());
        assert!(power.point().is_err() && power.alive().is_err());
        power.restore();
        assert!(power.point().is_ok() && power.alive().is_ok());
    }

    #[test]
    fn work_of_a_killed_agent_can_finish() {
        let mut power = Power::on();
        power.plan(0, Loss::Agent);
        assert!(power.point().is_ok());
        assert!(power.alive().is_err());
    }
}
