use heeler_host::{RunError, System};
use heeler_proto::KeepBackplane;

use super::card::{Cards, cards};
use crate::engine::{Plan, Step, StepName};

/// The backplane's card is known: heeler.toml names it, or only one card qualifies.
pub(super) struct NicChosen {
    pub(super) task: KeepBackplane,
}

impl Step for NicChosen {
    const NAME: StepName = "NicChosen";
    type Observed = Cards;

    async fn observe(&self, host: &dyn System) -> Result<Cards, RunError> {
        cards(host).await
    }

    fn plan(&self, seen: &Cards) -> Plan {
        match seen.choose(&self.task) {
            Ok(_) => Plan::Satisfied,
            Err(blocked) => Plan::Blocked(blocked),
        }
    }
}

#[cfg(test)]
mod tests {
    use heeler_host::facts::{Nic, Refusal};
    use heeler_proto::{Mac, Renderer};

    use super::*;

    const FIRST: &str = "00:e0:4c:68:00:01";
    const SECOND: &str = "00:e0:4c:68:00:02";

    fn nic(mac: &str, refusal: Option<Refusal>) -> Nic {
        Nic {
            name: "eth1".into(),
            mac: mac.into(),
            refusal,
            ..Nic::default()
        }
    }

    fn plan(mac: Option<&str>, pinned: Option<&str>, nics: Vec<Nic>) -> Plan {
        let task = KeepBackplane {
            address: "10.10.99.50/24".parse().unwrap(),
            mac: mac.map(|mac| Mac::new(mac).unwrap()),
            renderer: Renderer::Auto,
        };
        NicChosen { task }.plan(&Cards {
            nics,
            pinned: pinned.map(str::to_owned),
        })
    }

    fn found(plan: Plan) -> String {
        match plan {
            Plan::Blocked(blocked) => {
                assert!(blocked.next.contains("heeler plan"), "{blocked:?}");
                blocked.found
            }
            other => panic!("{other:?}"),
        }
    }

    fn lan() -> Nic {
        nic("2c:cf:67:00:00:01", Some(Refusal::Connection([10, 10, 80, 50].into())))
    }

    #[test]
    fn only_an_unambiguous_card_is_chosen() {
        assert_eq!(plan(None, None, vec![lan(), nic(FIRST, None)]), Plan::Satisfied);
        let two = found(plan(None, None, vec![nic(FIRST, None), nic(SECOND, None)]));
        assert!(two.contains(FIRST) && two.contains(SECOND), "{two}");
        assert!(found(plan(None, None, vec![lan()])).contains("a connection runs over it, at 10.10.80.50"));
    }

    #[test]
    fn a_card_that_carries_ssh_is_never_chosen() {
        for refusal in [
            Refusal::Connection([10, 10, 80, 50].into()),
            Refusal::DefaultRoute,
            Refusal::PortOf("vmbr0".into()),
            Refusal::MadeUp,
        ] {
            let words = refusal.to_string();
            assert!(found(plan(Some(FIRST), None, vec![nic(FIRST, Some(refusal))])).contains(&words));
        }
    }

    #[test]
    fn a_configured_card_is_chosen_only_by_name() {
        let used = || vec![nic(FIRST, Some(Refusal::Address("192.168.7.2/24".into())))];
        assert!(found(plan(None, None, used())).contains("192.168.7.2/24"));
        assert_eq!(plan(Some(FIRST), None, used()), Plan::Satisfied);
    }

    #[test]
    fn a_missing_pinned_card_is_not_replaced() {
        let other = || vec![lan(), nic(SECOND, None)];
        assert!(found(plan(None, Some(FIRST), other())).contains("is not in this node"));
        assert!(found(plan(Some(FIRST), Some(FIRST), other())).contains("is not in this node"));
    }
}
