use heeler_proto::v1::{self, Light};
use jiff::tz::TimeZone;

use super::*;
use crate::config::parse;

mod fleet;
mod handbook;

/// The lines as plain text.
fn shown(width: usize, lines: impl FnOnce(Screen) -> Vec<Line>) -> String {
    let screen = Screen { width, color: false };
    screen.show(&lines(screen))
}

/// Compares a screen at 80 and 120 columns with files that a person has checked.
#[track_caller]
fn looks(name: &str, expected: &str, lines: impl Fn(Screen) -> Vec<Line>) {
    let found = [80, 120].map(|width| {
        let text = shown(width, &lines);
        let widest = text.lines().map(line::width).max().unwrap_or(0);
        assert!(widest <= width, "{name} is {widest} wide at {width}");
        format!("== {width}\n{text}")
    });
    assert_eq!(found.concat(), expected, "{name}:\n{}", found.concat());
}

fn plan_of(reply: &v1::PlanReply, screen: Screen) -> Vec<Line> {
    let config = parse(fleet::TOML).unwrap();
    let checkout = Checkout {
        commit: "3f2c1ab".into(),
        dirty_lines: 2,
    };
    let view = PlanView {
        reply,
        wanted: Some((&config, &checkout)),
        apply: Some("heeler apply"),
    };
    plan(view, screen)
}

#[test]
fn a_plan_shows_changes_blocks_and_what_to_type() {
    let reply = fleet::plan();
    looks("plan", include_str!("tests/plan.txt"), |screen| plan_of(&reply, screen));
}

/// The last line of a plan whose nodes are blocked for the same reason, and the line of heeler.toml in their heads.
fn blocked_next(toml: &str, blocked: &v1::Blocked) -> (String, String) {
    let config = parse(toml).unwrap();
    let node = |name: &str| v1::NodePlan {
        node: name.into(),
        enrolled: true,
        steps: vec![v1::StepReport {
            step: "PoolExists".into(),
            outcome: v1::StepOutcome::Blocked.into(),
            blocked: Some(blocked.clone()),
            ..v1::StepReport::default()
        }],
        ..v1::NodePlan::default()
    };
    let reply = v1::PlanReply {
        nodes: vec![node("k8sctl-pi5l"), node("k8sctl-pi5r")],
        ..v1::PlanReply::default()
    };
    let view = PlanView {
        reply: &reply,
        wanted: Some((&config, &Checkout::default())),
        apply: Some("heeler apply"),
    };
    let text = shown(200, |screen| plan(view, screen));
    let head = text.split("BLOCKED  heeler.toml:").nth(1).unwrap_or_default();
    let line = head.split(':').next().unwrap_or_default().to_owned();
    (text.lines().last().unwrap_or_default().to_owned(), line)
}

#[test]
fn a_block_names_the_line_of_the_key_to_edit() {
    let renamed = format!("{}\n[pool]\nname = \"tank\"\narc_max = \"1GiB\"\n", fleet::TOML);
    let last = renamed.lines().count();
    let edit = |key: v1::TomlKey, edit: &str| v1::Blocked {
        key: key.into(),
        edit: edit.into(),
        ..v1::Blocked::default()
    };
    let named = edit(v1::TomlKey::PoolName, "name = \"data\"");
    assert_eq!(
        blocked_next(&renamed, &named),
        (
            format!("Next: in heeler.toml, line {}: name = \"data\"", last - 1),
            format!("{}", last - 1)
        )
    );
    let (next, _) = blocked_next(&renamed, &edit(v1::TomlKey::ArcMax, "write a smaller arc_max"));
    assert_eq!(
        next,
        format!("Next: in heeler.toml, line {last}: write a smaller arc_max")
    );
    let (next, _) = blocked_next(fleet::TOML, &named);
    assert_eq!(next, "Next: in heeler.toml, below [pool]: name = \"data\"");
    let command = v1::Blocked {
        next: "on the node: zpool clear data".into(),
        ..v1::Blocked::default()
    };
    let (next, _) = blocked_next(fleet::TOML, &command);
    assert_eq!(next, "Next: on the node: zpool clear data");
}

#[test]
fn a_plan_of_a_converged_fleet_says_nothing_to_change() {
    let reply = fleet::converged();
    assert_eq!(
        shown(80, |screen| plan_of(&reply, screen)),
        "heeler.toml 3f2c1ab + 2 uncommitted lines · nodes examined 4 s ago\n\n\
         k8sctl-pi5l  nothing to change\nk8sctl-pi5r  nothing to change\n\nNothing to change.\n"
    );
}

#[test]
fn a_plan_says_when_nothing_is_asked_of_a_node() {
    let mut reply = fleet::converged();
    reply.nodes.truncate(1);
    (reply.nodes[0].facts, reply.nodes[0].tasks, reply.nodes[0].steps) = (None, Vec::new(), Vec::new());
    assert_eq!(
        shown(80, |screen| plan_of(&reply, screen)),
        "heeler.toml 3f2c1ab + 2 uncommitted lines\n\nk8sctl-pi5l  nothing to change\n    \
         note: heeler.toml asks nothing of this node, not even a pool: its lines name\n          no disks. To see \
         its disks: heeler disk list k8sctl-pi5l\n\nNothing to change.\n"
    );
}

#[test]
fn a_plan_says_what_is_no_longer_managed() {
    let mut reply = fleet::converged();
    reply.nodes[1].unmanaged = Some(v1::Unmanaged {
        pool: "data".into(),
        serials: vec!["S1".into(), "S2".into()],
        backplane: true,
        datasets: vec![],
    });
    assert_eq!(
        shown(80, |screen| plan_of(&reply, screen)),
        "heeler.toml 3f2c1ab + 2 uncommitted lines · nodes examined 4 s ago\n\n\
         k8sctl-pi5l  nothing to change\nk8sctl-pi5r  NO LONGER MANAGED\n\
         \x20 ! pool data is on record, but heeler.toml names no disks for it. Its data,\n\
         \x20   snapshots and scrubs stay as they are; Heeler no longer checks its disks,\n\
         \x20   datasets and properties. To manage it again, in heeler.toml: disks = [\"S1\",\n\
         \x20   \"S2\"]\n\
         \x20 ! the backplane is configured, but heeler.toml no longer asks for it. The card\n\
         \x20   keeps its address; Heeler no longer checks it. To manage it again, put its\n\
         \x20   backplane line back into heeler.toml\n\n\
         Apply changes nothing on these nodes.\n"
    );
}

#[test]
fn a_revoked_node_is_not_shown_as_new() {
    let node = |revoked| v1::NodePlan {
        node: "k8sctl-pi5x".into(),
        revoked,
        ..v1::NodePlan::default()
    };
    let text = |revoked| {
        let reply = v1::PlanReply {
            nodes: vec![node(revoked)],
            ..v1::PlanReply::default()
        };
        shown(80, |screen| plan_of(&reply, screen))
    };
    assert!(
        text(false).contains("Next: heeler node add k8sctl-pi5x"),
        "{}",
        text(false)
    );
    let revoked = text(true);
    assert!(
        revoked.contains("REVOKED") && !revoked.contains("Next: heeler node add"),
        "{revoked}"
    );
    assert!(!revoked.contains("revoked;"), "{revoked}");
    let next = "Next: delete the lines of k8sctl-pi5x from heeler.toml\n";
    assert!(revoked.ends_with(next), "{revoked}");
}

#[test]
fn a_paused_node_says_by_whom_and_why() {
    let mut reply = fleet::converged();
    reply.nodes[0].pause = Some(v1::Pause {
        reason: "new fan".into(),
        operator: "kim".into(),
        on_node: false,
        since_ms: reply.now_ms,
        until_ms: reply.now_ms + 7_200_000,
    });
    let text = shown(80, |screen| plan_of(&reply, screen));
    assert!(
        text.contains("k8sctl-pi5l  PAUSED  by kim: new fan, 2 h more; apply skips it"),
        "{text}"
    );
    assert!(text.contains("Next: heeler node resume k8sctl-pi5l"), "{text}");
}

#[test]
fn an_old_checkout_is_told_to_pull() {
    let reply = v1::PlanReply {
        behind: true,
        ..fleet::converged()
    };
    let text = shown(80, |screen| plan_of(&reply, screen));
    assert!(text.contains("Next: heeler config pull (revision 7"), "{text}");
}

#[test]
fn an_erasure_shows_what_is_lost() {
    let reply = fleet::erasure();
    looks("erasure", include_str!("tests/erasure.txt"), |screen| {
        let view = PlanView {
            reply: &reply,
            wanted: None,
            apply: None,
        };
        plan(view, screen)
    });
}

#[test]
fn an_import_without_all_legs_shows_what_is_lost() {
    let reply = fleet::incomplete_import();
    let text = shown(80, |screen| plan_of(&reply, screen));
    for part in [
        "data that only a missing disk holds is lost",
        "last written at txg 4711",
        "missing  S6XNNS0W100002",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn creation_asks_for_the_node_and_erasure_for_the_serial() {
    let word = |reply: &v1::PlanReply| {
        let plan = &reply.nodes[0];
        let act = changes(plan).find_map(|op| op.irreversible.as_ref()).unwrap();
        asks(&plan.node, act).unwrap()
    };
    assert_eq!(word(&fleet::plan()), "k8sctl-pi5l");
    assert_eq!(word(&fleet::erasure()), "S6XNNS0W100004");
    assert_eq!(word(&fleet::incomplete_import()), "S6XNNS0W100001");
    assert_eq!(asks("x", &v1::Irreversible { act: None }), None);
}

#[test]
fn a_status_shows_the_worst_first_and_what_to_type() {
    let reply = fleet::status();
    looks("status", include_str!("tests/status.txt"), |screen| {
        status(&reply, screen)
    });
}

#[test]
fn a_light_is_a_word_also_without_colour() {
    for (light, word) in [(Light::Green, "GREEN"), (Light::Amber, "AMBER"), (Light::Red, "RED")] {
        let reply = v1::StatusReply {
            light: light.into(),
            summary: "why".into(),
            ..v1::StatusReply::default()
        };
        assert_eq!(shown(80, |screen| status(&reply, screen)), format!("{word}  why\n"));
    }
}

#[test]
fn lists_of_nodes_disks_and_tasks_are_tables() {
    let (nodes_, disks_, tasks_) = (fleet::nodes(), fleet::disks(), fleet::tasks());
    let zone = TimeZone::UTC;
    looks("lists", include_str!("tests/lists.txt"), |screen| {
        let mut lines = nodes(&nodes_, fleet::NOW, screen);
        lines.push(Line::new());
        lines.extend(disks(&disks_));
        lines.push(Line::new());
        lines.extend(tasks(&tasks_, fleet::NOW, screen));
        lines.push(Line::new());
        lines.extend(task(&tasks_[1], &zone, screen));
        lines.extend(task(&tasks_[2], &zone, screen));
        lines
    });
}

#[test]
fn one_node_is_shown_in_full() {
    let reply = v1::ShowNodeReply {
        node: fleet::nodes().first().cloned(),
        tasks: fleet::tasks(),
        drift: None,
    };
    looks("node", include_str!("tests/node.txt"), |screen| {
        node(&reply, fleet::NOW, &TimeZone::UTC, screen)
    });
}

#[test]
fn the_event_list_leaves_progress_out() {
    let events = fleet::events();
    looks("events", include_str!("tests/events.txt"), |screen| {
        let mut log = EventLog::new(13, TimeZone::UTC);
        events.iter().flat_map(|one| log.add(one, "", screen)).collect()
    });
    let moving: Vec<_> = events.iter().filter_map(progress).collect();
    assert!(moving.contains(&("erasing".into(), Some(40))), "{moving:?}");
}

#[test]
fn mistakes_point_at_their_line_and_fit_the_screen() {
    let text = fleet::TOML
        .replace("address = \"10.10.80.51\"", "adress = \"10.10.80.51\"")
        .replace("backplane = {", "backplain_of_a_very_long_name_indeed = {");
    let errors = parse(&text).unwrap_err();
    looks("mistakes", include_str!("tests/mistakes.txt"), |screen| {
        mistakes(&errors, screen)
    });
}

#[test]
fn a_long_diff_is_cut_and_counted() {
    let after: String = (0..30).map(|line| format!("{line}\n")).collect();
    let text = shown(80, |_| diff("", &after, 2, 4));
    assert_eq!(
        text,
        "  + 0\n  + 1\n  + 2\n  + 3\n    … 26 more lines (--json shows all)\n"
    );
}

#[test]
fn times_of_events_do_not_run_backwards() {
    let event = |at_ms: u64| v1::FleetEvent {
        at_ms,
        kind: v1::EventKind::Connected.into(),
        ..v1::FleetEvent::default()
    };
    let mut log = EventLog::new(0, TimeZone::UTC);
    let text = shown(80, |screen| {
        [3_600_000, 3_599_000, 3_601_000, 60_000]
            .iter()
            .flat_map(|at| log.add(&event(*at), "", screen))
            .collect()
    });
    assert_eq!(
        text,
        "01:00:00  connected\n01:00:00  connected\n01:00:01  connected\n00:01:00  connected (reported late)\n"
    );
}

#[test]
fn a_task_goes_on_after_a_reboot_that_it_made() {
    let event = |kind: v1::event::Kind| v1::FleetEvent {
        event: Some(v1::Event {
            kind: Some(kind),
            ..v1::Event::default()
        }),
        ..v1::FleetEvent::default()
    };
    let reboot = event(v1::event::Kind::OpStarted(v1::OpStarted {
        reboot: true,
        ..v1::OpStarted::default()
    }));
    let resumed = event(v1::event::Kind::TaskStarted(v1::TaskStarted {
        resumed: true,
        ..v1::TaskStarted::default()
    }));
    let mut log = EventLog::new(0, TimeZone::UTC);
    let text = shown(80, |screen| {
        let all = [&reboot, &resumed, &resumed];
        all.into_iter().flat_map(|one| log.add(one, "", screen)).collect()
    });
    assert_eq!(
        text,
        "00:00:00  continues after the reboot\n00:00:00  continued after an interruption\n"
    );
}

#[test]
fn a_log_names_the_task_that_begins_and_ends() {
    let mut log = EventLog::new(13, TimeZone::UTC);
    let events = fleet::events();
    let text = shown(80, |screen| {
        events
            .iter()
            .flat_map(|one| log.add(one, "ensure pool", screen))
            .collect()
    });
    for part in ["ensure pool: started", "ensure pool: done", "ensure pool: BLOCKED"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
