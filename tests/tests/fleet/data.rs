//! From blank disks to a pool on record, and what the record protects.

use heeler_coordinator::clock::Clock as _;
use heeler_host::sim::{Content, DiskSpec, Machine};
use heeler_proto::v1::{self, Light, StepOutcome};
use heeler_tests::{Fleet, Node, config};
use tonic::Code;

use crate::scene::{DISKS, creations, finished, machine, node_a, outcomes, pooled};

#[tokio::test]
async fn a_second_apply_changes_nothing() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let text = config(&[("a", DISKS)]);

    let plan = operator.plan_text(&text, 0).await;
    assert_eq!(plan.nodes[0].error, "");
    assert!(
        outcomes(&plan.nodes[0]).contains(&StepOutcome::Change),
        "{:?}",
        plan.nodes[0]
    );
    assert_eq!(creations(&node), 0, "a plan changes nothing");

    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert_eq!((reply.revision, reply.task_ids.len()), (1, 4));
    let task = finished(&mut operator, &reply).await;
    assert_eq!((task.state(), task.reason.as_str()), (v1::TaskState::Done, ""));
    assert_eq!(creations(&node), 1);

    let again = operator.plan_text(&text, 1).await;
    assert_eq!(again.nodes[0].tasks[0].task_id, "", "{:?}", again.nodes[0]);
    let reply = operator.apply_plan(&again, fleet.clock.now_ms()).await.unwrap();
    assert_eq!((reply.revision, reply.task_ids.len()), (1, 0));

    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.light(), Light::Green, "{status:?}");
    assert_eq!(
        (status.nodes[0].pool.as_str(), status.nodes[0].config.as_str()),
        ("ok", "same")
    );
    assert_eq!((status.nodes[0].legs, status.nodes[0].legs_online), (2, 2));

    let disks = operator
        .list_disks(v1::ListDisksRequest::default())
        .await
        .unwrap()
        .into_inner()
        .disks;
    let recorded: Vec<_> = disks.iter().filter(|disk| !disk.recorded_guid.is_empty()).collect();
    assert_eq!(recorded.len(), 2, "both legs are on record");
}

#[tokio::test]
async fn a_node_with_a_pool_keeps_its_hostid() {
    let fleet = Fleet::new().await;
    let made = machine("a", DISKS);
    made.put_file("/etc/hostid", &0x0bad_cafe_u32.to_le_bytes()).unwrap();
    let leg = |serial: &str| format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{serial}");
    assert!(made.by_hand("modprobe", &["zfs"]).ok());
    let created = made.by_hand(
        "zpool",
        &[
            "create",
            "-o",
            "comment=heeler:k8sctl/a",
            "-O",
            "mountpoint=none",
            "-O",
            "canmount=off",
            "data",
            "mirror",
            &leg(DISKS[0]),
            &leg(DISKS[1]),
        ],
    );
    assert!(created.ok(), "{created:?}");
    let _node = Node::added(&fleet, made, "a").await;
    let mut operator = fleet.operator().await;
    operator
        .discover(v1::DiscoverRequest { node: "a".into() })
        .await
        .unwrap();

    assert_eq!(node_a(&mut operator).await.hostid, "0badcafe");
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    assert_eq!(plan.nodes[0].error, "");
    assert!(
        !outcomes(&plan.nodes[0]).contains(&StepOutcome::Blocked),
        "{:?}",
        plan.nodes[0]
    );
}

#[tokio::test]
async fn a_live_disk_is_not_even_planned_for_erasure() {
    let fleet = Fleet::new().await;
    let _node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let status = operator
        .plan_erase(v1::PlanEraseRequest {
            serial: DISKS[0].into(),
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("on record"), "{}", status.message());
    let status = operator
        .plan_erase(v1::PlanEraseRequest {
            serial: "NOBODY".into(),
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn a_lost_leg_is_red_and_names_the_survivor() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    node.machine.pull_disk(DISKS[1]);
    operator
        .discover(v1::DiscoverRequest { node: "a".into() })
        .await
        .unwrap();
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.light(), Light::Red, "{status:?}");
    assert_eq!(status.summary, "1 pool has no redundancy. No data lost.");
    assert!(
        status.alerts[0]
            .text
            .contains(&format!("Do NOT pull slot A {}", DISKS[0])),
        "{status:?}"
    );
    let disks = operator
        .list_disks(v1::ListDisksRequest::default())
        .await
        .unwrap()
        .into_inner()
        .disks;
    let gone: Vec<_> = disks.iter().filter(|disk| !disk.present).collect();
    assert_eq!(gone.len(), 1, "remembered, and not there");
    assert!(!gone[0].recorded_guid.is_empty());
}

#[tokio::test]
async fn a_moved_pool_disk_is_refused_everywhere() {
    let fleet = Fleet::new().await;
    let a = Node::added(&fleet, machine("a", DISKS), "a").await;
    let b = Node::added(&fleet, machine("b", &["X1"]), "b").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    a.machine.move_disk(DISKS[1], &b.machine);
    operator
        .discover(v1::DiscoverRequest { node: "b".into() })
        .await
        .unwrap();
    let plan = operator.plan_text(&config(&[("b", &["X1", DISKS[1]])]), 1).await;
    assert!(
        outcomes(&plan.nodes[0]).contains(&StepOutcome::Blocked),
        "{:?}",
        plan.nodes[0]
    );
    let status = operator
        .plan_erase(v1::PlanEraseRequest {
            serial: DISKS[1].into(),
        })
        .await
        .unwrap_err();
    assert!(status.message().contains("of a"), "{}", status.message());
}

#[tokio::test]
async fn a_foreign_disk_is_used_after_an_erasure() {
    let fleet = Fleet::new().await;
    let dirty = Machine::builder("a")
        .blank(DISKS[0])
        .disk(DiskSpec::holding(DISKS[1], Content::Ext4("photos")))
        .build();
    let node = Node::added(&fleet, dirty, "a").await;
    let before = node.machine.hash_disk(DISKS[1]);
    let mut operator = fleet.operator().await;
    let text = config(&[("a", DISKS)]);
    let plan = operator.plan_text(&text, 0).await;
    assert!(
        outcomes(&plan.nodes[0]).contains(&StepOutcome::Blocked),
        "{:?}",
        plan.nodes[0]
    );
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert!(reply.task_ids.is_empty(), "what is blocked does not begin");
    assert_eq!(node.machine.hash_disk(DISKS[1]), before);

    let serial = DISKS[1].to_owned();
    let plan = operator
        .plan_erase(v1::PlanEraseRequest { serial })
        .await
        .unwrap()
        .into_inner();
    let without = v1::ApplyRequest {
        plan_id: plan.plan_id.clone(),
        ..Default::default()
    };
    assert_eq!(
        operator.erase(without).await.unwrap_err().code(),
        Code::PermissionDenied
    );
    assert_eq!(node.machine.hash_disk(DISKS[1]), before);
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert_eq!(finished(&mut operator, &reply).await.state(), v1::TaskState::Done);
    assert!(node.machine.is_blank(DISKS[1]));

    let plan = operator.plan_text(&text, 1).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert_eq!(finished(&mut operator, &reply).await.state(), v1::TaskState::Done);
}

#[tokio::test]
async fn a_destroyed_foreign_pool_leaves_the_record() {
    const THIRD: &str = "S6XNNS0W100003";
    let fleet = Fleet::new().await;
    let machine = Machine::builder("a")
        .blank(DISKS[0])
        .blank(DISKS[1])
        .blank(THIRD)
        .build();
    let node = Node::added(&fleet, machine, "a").await;
    let mut operator = fleet.operator().await;
    let device = |serial| format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{serial}");
    let text = config(&[("a", DISKS)]);
    operator.plan_text(&text, 0).await;
    let create = ["create", "foreign", "mirror", &device(DISKS[1]), &device(THIRD)];
    let made = node.machine.by_hand("zpool", &create);
    assert_eq!(made.stderr, "");
    let there = operator.plan_text(&text, 0).await;
    assert!(outcomes(&there.nodes[0]).contains(&StepOutcome::Blocked), "{there:?}");

    assert!(node.machine.by_hand("zpool", &["destroy", "foreign"]).ok());
    let plan = operator.plan_text(&text, 0).await;
    let shown = format!("{plan:?}");
    assert!(shown.contains("destroyed") && !shown.contains("on record"), "{shown}");
}

#[tokio::test]
async fn a_reflashed_node_imports_its_recorded_pool() {
    let mut fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let text = config(&[("a", DISKS)]);
    let plan = operator.plan_text(&text, 0).await;
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    finished(&mut operator, &reply).await;
    node.kill();
    node.machine.replace_root_disk();
    fleet.stop().await;
    fleet.start().await.unwrap();
    let node = Node::reflashed(&fleet, node.machine.clone(), "a").await;
    let mut operator = fleet.operator().await;
    let plan = operator.plan_text(&text, 1).await;
    assert_ne!(plan.nodes[0].tasks[0].task_id, "", "{:?}", plan.nodes[0].steps);
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert_eq!(finished(&mut operator, &reply).await.state(), v1::TaskState::Done);
    assert_eq!(creations(&node), 1, "made once, imported once");
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.nodes[0].pool, "ok", "{status:?}");
}
