//! What the engine guarantees for any step.

use std::time::Duration;

use heeler_host::{Command, File, RunError};
use heeler_proto::v1::OpKind;
use heeler_tasks::engine::{AnyStep, Edit, Op, Outcome, Plan, Remove, fingerprint, look_at};

use crate::life::{Life, pi};
use crate::stand_in::StandIn;

async fn run(life: &mut Life, steps: Vec<Box<dyn AnyStep>>) -> Outcome {
    let id = life.next_task();
    life.steps(&id, &steps).await
}

fn node() -> Life {
    Life::of(pi().build())
}

fn write(path: &str) -> Op {
    Op::Write(File::text(path, "x"))
}

fn failing() -> Op {
    Op::Run(Command::change("chattr").args(["+i", "/nowhere"]))
}

fn failed(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed { reason, .. } => reason,
        other => panic!("should have failed: {other:?}"),
    }
}

#[tokio::test]
async fn no_op_is_applied_after_a_step_has_stopped() {
    let stops: [fn() -> Plan; 3] = [
        || Plan::blocked("f", "w", "n"),
        || Plan::After("Later"),
        || Plan::change(vec![failing()]),
    ];
    for stop in stops {
        let mut life = node();
        life.machine.clear_log();
        let steps = vec![
            StandIn::writes("First", "/etc/first"),
            StandIn::says("Stops", "/etc/none", move |_, _| Ok(stop())),
            StandIn::writes("Last", "/etc/last"),
        ];
        let outcome = run(&mut life, steps).await;
        assert!(!matches!(outcome, Outcome::Done), "{outcome:?}");
        assert_eq!(life.machine.file("/etc/first").as_deref(), Some(&b"x"[..]));
        assert_eq!(life.machine.file("/etc/last"), None);
    }
}

#[tokio::test]
async fn an_ops_effect_is_proven_by_another_look() {
    let mut life = node();
    let lies = StandIn::says("Holds", "/etc/x", |_, _| Ok(Plan::change(vec![write("/etc/x")])));
    let reason = failed(run(&mut life, vec![lies]).await);
    assert!(
        reason.contains("Holds is not done") && reason.contains("write /etc/x"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_result_gets_its_settle_time_and_no_more() {
    let slow = |looks: usize| {
        StandIn::says("Settles", "/etc/x", move |look, _| {
            Ok(if look > looks {
                Plan::Satisfied
            } else {
                Plan::Change {
                    ops: vec![write("/etc/x")],
                    settle: Duration::from_secs(1),
                }
            })
        })
    };
    let mut life = node();
    assert_eq!(run(&mut life, vec![slow(4)]).await, Outcome::Done);
    assert_eq!(
        life.changes(),
        ["write /etc/x"],
        "applied once, looked at until it shows"
    );
    failed(run(&mut node(), vec![slow(40)]).await);
}

#[tokio::test]
async fn a_retry_is_bounded() {
    let later = |looks: usize| {
        StandIn::says("Waits", "/etc/x", move |look, _| {
            Ok(if look > looks {
                Plan::Satisfied
            } else {
                Plan::Retry {
                    after: Duration::from_secs(5),
                    why: "dpkg is busy".into(),
                }
            })
        })
    };
    assert_eq!(run(&mut node(), vec![later(3)]).await, Outcome::Done);
    assert_eq!(failed(run(&mut node(), vec![later(1000)]).await), "dpkg is busy");
}

#[tokio::test]
async fn a_failed_look_is_retried_when_useful() {
    let fails = |looks: usize, error: fn() -> RunError| {
        StandIn::says("Looks", "/etc/x", move |look, _| {
            if look > looks {
                Ok(Plan::Satisfied)
            } else {
                Err(error())
            }
        })
    };
    let passing = || RunError::Timeout {
        command: "zpool status".into(),
        seconds: 60,
    };
    let lasting = || RunError::Missing { program: "zpool" };
    assert_eq!(run(&mut node(), vec![fails(2, passing)]).await, Outcome::Done);
    assert!(failed(run(&mut node(), vec![fails(9, passing)]).await).contains("did not finish"));
    assert!(failed(run(&mut node(), vec![fails(1, lasting)]).await).contains("not installed"));
    let life = node();
    let report = look_at(&life.machine, &[fails(9, lasting)]).await;
    assert!(report[0].blocked.as_ref().unwrap().found.contains("not installed"));
}

#[tokio::test]
async fn the_machines_state_counts_not_the_exit_code() {
    let mut life = node();
    let made = StandIn::says("Made", "/etc/x", |look, _| {
        Ok(match look {
            1 => Plan::change(vec![failing()]),
            _ => Plan::Satisfied,
        })
    });
    assert_eq!(run(&mut life, vec![made]).await, Outcome::Done);
}

#[tokio::test]
async fn a_file_changed_since_the_look_is_left_alone() {
    for op in [
        Op::Edit(Edit::of("/etc/x", "b", "y", Some(b"seen"))),
        Op::Remove(Remove {
            path: "/etc/x".into(),
            expects: fingerprint(Some(b"seen")),
        }),
    ] {
        let mut life = node();
        life.machine.put_file("/etc/x", b"changed").unwrap();
        let step = StandIn::says("Edited", "/etc/x", move |_, _| Ok(Plan::change(vec![op.clone()])));
        let reason = failed(run(&mut life, vec![step]).await);
        assert!(reason.contains("has changed since"), "{reason}");
        assert_eq!(life.machine.file("/etc/x").as_deref(), Some(&b"changed"[..]));
    }
}

#[tokio::test]
async fn conflicting_ops_are_refused_before_the_first() {
    let reboot = || Op::Reboot {
        reason: "r".into(),
        trial: false,
    };
    let mut life = node();
    life.machine.clear_log();
    let step = StandIn::says("Mixed", "/etc/x", move |_, _| {
        Ok(Plan::change(vec![reboot(), write("/etc/x")]))
    });
    assert!(failed(run(&mut life, vec![step]).await).contains("fault of Heeler"));
    assert_eq!(life.changes(), [""; 0]);
}

#[tokio::test]
async fn a_preview_shows_text_before_and_after() {
    let life = node();
    life.machine.put_file("/etc/x", b"before\n").unwrap();
    let step = StandIn::says("Shown", "/etc/x", |_, found| {
        let edit = Edit::of("/etc/x", "b", "mine", found.as_deref());
        Ok(Plan::change(vec![Op::Edit(edit), write("/etc/new")]))
    });
    let report = look_at(&life.machine, &[step]).await;
    let ops = &report[0].ops;
    assert_eq!((ops[0].kind(), ops[0].before.as_str()), (OpKind::Edit, "before\n"));
    assert_eq!(ops[0].after, "before\n# heeler begin b\nmine\n# heeler end b\n");
    assert_eq!(
        (ops[1].kind(), ops[1].before.as_str(), ops[1].after.as_str()),
        (OpKind::Write, "", "x")
    );
}
