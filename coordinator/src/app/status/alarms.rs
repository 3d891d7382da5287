use std::collections::BTreeMap;

use heeler_proto::Word as _;
use heeler_proto::v1::{self, AlarmKind, Light};
use heeler_store::Alarm;

use super::alert;
use crate::screen::span;

/// Alarms shown for each node, so that a node with many different texts does not fill the screen.
const SHOWN: usize = 5;

/// The unseen alarms, newest first. For each node the newest [`SHOWN`], and how many more there are.
pub(super) fn alerts(alarms: &[Alarm], now_ms: u64) -> Vec<v1::Alert> {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    let mut alerts = Vec::new();
    let amber = |node: &str, text: String| {
        let next = format!("heeler events --kind alarm; then, to clear it: heeler events seen {node}");
        alert(Light::Amber, node, text, next)
    };
    for alarm in alarms {
        let count = told.entry(&alarm.node).or_default();
        *count += 1;
        if *count <= SHOWN {
            let ago = span(now_ms.saturating_sub(alarm.at_ms));
            alerts.push(v1::Alert {
                alarm: AlarmKind::parse(&alarm.alarm).unwrap_or_default().into(),
                subject: alarm.subject.clone(),
                ..amber(&alarm.node, format!("{}, {ago} ago", alarm.text))
            });
        }
    }
    let more = told.into_iter().filter(|(_, count)| *count > SHOWN);
    alerts.extend(more.map(|(node, count)| amber(node, format!("and {} more alarms", count - SHOWN))));
    alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noisy_node_hides_no_other_alarm() {
        let alarm = |node: &str, number: u64| Alarm {
            node: node.into(),
            alarm: "board".into(),
            subject: number.to_string(),
            text: format!("board {number}"),
            at_ms: 100_000 - number,
            id: 100 - number,
        };
        let mut alarms: Vec<Alarm> = (0..50).map(|number| alarm("a", number)).collect();
        alarms.push(alarm("b", 50));
        let alerts = alerts(&alarms, 160_000);
        let of = |node: &str| -> Vec<&str> {
            let own = alerts.iter().filter(|alert| alert.node == node);
            own.map(|alert| alert.text.as_str()).collect()
        };
        assert_eq!(of("b"), ["board 50, 1 min ago"]);
        assert_eq!(of("a").len(), SHOWN + 1);
        assert_eq!(of("a")[SHOWN], "and 45 more alarms");
    }
}
