//! The points at which the machine can lose power or the agent can be killed.

use tokio::sync::watch;

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The machine loses power.
    Power,
    /// The agent is killed; the machine runs on and completes the call in progress.
    Agent,
    /// The agent is killed, and the call in progress with it.
    AgentAndItsWork,
    /// The requested reboot begins.
    Reboot,
}

/// The machine or the agent is gone, so the call never returns.
#[derive(Debug)]
pub(super) struct Gone;

/// Counts the points: one before and one after each program and each call that changes something, and one wherever a
/// call can be interrupted.
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

    /// Passes a point; an error when the loss happens here.
    pub(super) fn point(&mut self) -> Result<(), Gone> {
        let here = self.points;
        self.points += 1;
        match self.cut {
            Some((at, loss)) if at == here => {
                self.cut = None;
                self.down.send_replace(Some(loss));
                // The call in progress completes; `alive` stops it before it returns.
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
        // A loss that is planned for later also comes after a reboot that the machine asked for.
        if self.loss() != Some(Loss::Reboot) {
            self.cut = None;
        }
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
