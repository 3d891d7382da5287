//! Keeps each node's alerts within its share of the status.

use std::collections::{BTreeMap, HashMap};

use heeler_proto::v1;
use prost::Message as _;

use super::super::share;
use super::alert;

/// The alerts that fit into the shares of `nodes` nodes and of the coordinator, worst first, with a count of those
/// that do not fit.
pub(super) fn fitting(alerts: Vec<v1::Alert>, nodes: usize) -> Vec<v1::Alert> {
    let share = share::of_list(nodes.saturating_add(1));
    let mut used: HashMap<String, usize> = HashMap::new();
    // The first of each node that does not fit, and how many there are.
    let (mut shown, mut dropped): (Vec<v1::Alert>, BTreeMap<String, (v1::Alert, usize)>) = Default::default();
    for alert in alerts {
        let used = used.entry(alert.node.clone()).or_default();
        *used = used.saturating_add(alert.encoded_len()).saturating_add(8);
        if *used <= share {
            shown.push(alert);
            continue;
        }
        let (_, count) = dropped.entry(alert.node.clone()).or_insert((alert, 0));
        *count = count.saturating_add(1);
    }
    shown.extend(dropped.into_values().map(|(first, count)| {
        let next = match first.node.as_str() {
            "" => "heeler events --kind alarm".to_owned(),
            node => format!("heeler node show {node}"),
        };
        let text = format!("and {count} more that do not fit here");
        alert(first.light(), &first.node, text, next)
    }));
    shown.sort_by_key(|alert| std::cmp::Reverse(alert.light));
    shown
}

#[cfg(test)]
mod tests {
    use v1::Light;

    use super::*;

    #[test]
    fn a_node_with_long_alerts_hides_no_other_node() {
        let long = |light| alert(light, "a", "x".repeat(64 << 10), "");
        let mut alerts = vec![long(Light::Red)];
        alerts.extend((0..500).map(|_| long(Light::Amber)));
        alerts.push(alert(Light::Amber, "b", "a disk is gone", ""));
        let shown = fitting(alerts, 2);
        assert_eq!(shown[0].light(), Light::Red);
        assert!(shown.iter().any(|alert| alert.text == "a disk is gone"));
        let last = shown.last().unwrap();
        assert_eq!(last.text, "and 486 more that do not fit here");
        assert_eq!(last.next, "heeler node show a");
        let alerts = shown;
        let reply = v1::StatusReply {
            alerts,
            ..v1::StatusReply::default()
        };
        assert!(reply.encoded_len() < 4 << 20);
    }
}
