//! What a person confirms is done, once, and nothing else.

use heeler_coordinator::clock::Clock as _;
use heeler_host::sim::DiskSpec;
use heeler_proto::v1::{self, Light};
use heeler_tests::{Fleet, Node, config, consents};
use tonic::Code;

use crate::scene::{DISKS, creations, finished, machine, pooled};

#[tokio::test]
async fn without_a_valid_consent_nothing_is_accepted_or_begun() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let good = consents(&operator.key, &plan.nodes[0], fleet.clock.now_ms());
    let apply = |consents: Vec<v1::Consent>| v1::ApplyRequest {
        plan_id: plan.plan_id.clone(),
        consents,
        ..v1::ApplyRequest::default()
    };
    let forged = |change: fn(&mut v1::Consent)| {
        let mut consents = good.clone();
        change(&mut consents[0]);
        consents
    };
    let other = fleet.second_operator_key();
    let agent = consents(&other, &plan.nodes[0], fleet.clock.now_ms());
    let expired = consents(&operator.key, &plan.nodes[0], fleet.clock.now_ms() - 60 * 60 * 1000);
    for (what, given) in [
        ("none", vec![]),
        ("of another node", forged(|consent| consent.node = "b".into())),
        ("of another task", forged(|consent| consent.task_id = "0".repeat(32))),
        (
            "for a different change",
            forged(|consent| consent.act_sha256 = vec![0; 32]),
        ),
        (
            "by an unknown operator",
            forged(|consent| consent.operator = "you".into()),
        ),
        ("by an unknown key", agent),
        ("expired", expired),
        (
            "one too many",
            [good.clone(), forged(|consent| consent.id = "0".repeat(32))].concat(),
        ),
    ] {
        let status = operator.apply(apply(given)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{what}: {status:?}");
    }
    let revision = operator
        .accepted_revision(v1::AcceptedRevisionRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(revision.number, 0, "all or nothing");
    assert_eq!(creations(&node), 0);
    operator.apply(apply(good)).await.unwrap();
}

#[tokio::test]
async fn a_repeated_apply_starts_nothing_twice() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let first = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let second = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert_eq!(first, second);
    finished(&mut operator, &first).await;
    assert_eq!(creations(&node), 1);
}

#[tokio::test]
async fn an_old_checkout_cannot_overwrite_unseen_revisions() {
    let fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    let (first, second) = (config(&[("a", DISKS)]), config(&[("a", &[])]));
    let plan = operator.plan_text(&first, 0).await;
    operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();

    let stale = operator.plan_text(&second, 0).await;
    assert!(stale.behind);
    let status = operator.apply_plan(&stale, fleet.clock.now_ms()).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert!(status.message().contains("heeler config pull"), "{}", status.message());

    let same = operator.plan_text(&first, 0).await;
    assert!(!same.behind, "the same text undoes nothing");
    assert_eq!(
        operator.apply_plan(&same, fleet.clock.now_ms()).await.unwrap().revision,
        1
    );

    let request = v1::ApplyRequest {
        plan_id: stale.plan_id,
        overwrite: true,
        ..Default::default()
    };
    assert_eq!(operator.apply(request).await.unwrap().into_inner().revision, 2);
    let seen = operator.plan_text(&first, 2).await;
    assert_eq!(
        operator.apply_plan(&seen, fleet.clock.now_ms()).await.unwrap().revision,
        3
    );
}

#[tokio::test]
async fn nothing_is_queued_for_an_absent_node() {
    let fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", DISKS), "a").await;
    node.kill();
    let mut operator = fleet.operator().await;
    operator.wait_for(v1::EventKind::Lost, "a").await;
    let plan = operator
        .plan_text(&config(&[("a", DISKS), ("b", &["X1", "X2"])]), 0)
        .await;
    assert!(plan.nodes[0].offline_since_ms > 0 && plan.nodes[0].enrolled);
    assert!(!plan.nodes[1].enrolled);
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    assert!(reply.task_ids.is_empty());
    fleet.clock.advance(15_000);
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.light(), Light::Amber);
    assert!(
        status
            .alerts
            .iter()
            .any(|alert| alert.node == "a" && alert.text.contains("offline")),
        "{status:?}"
    );
    assert!(
        status
            .alerts
            .iter()
            .any(|alert| alert.node == "b" && alert.next.contains("node add b")),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_swapped_disk_voids_the_consent() {
    let fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    for serial in DISKS {
        node.machine
            .swap_disk(serial, &DiskSpec::blank(serial).size(256_060_514_304));
    }
    let reply = operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();
    let task = finished(&mut operator, &reply).await;
    assert_eq!(task.state(), v1::TaskState::Blocked, "{task:?}");
    assert_eq!(creations(&node), 0);
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.light(), Light::Amber, "{status:?}");
    assert!(
        status.alerts.iter().any(|alert| alert.text.contains("blocked")),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_plan_names_the_nodes_that_heeler_toml_leaves_out() {
    let fleet = Fleet::new().await;
    let _a = Node::added(&fleet, machine("a", DISKS), "a").await;
    let _b = Node::added(&fleet, machine("b", &["B1", "B2"]), "b").await;
    let mut operator = fleet.operator().await;
    let plan = operator.plan_text(&config(&[("a", DISKS)]), 0).await;
    let told: Vec<_> = plan
        .nodes
        .iter()
        .map(|node| (node.node.as_str(), node.left_out, node.config_changed))
        .collect();
    assert_eq!(told, [("a", false, true), ("b", true, true)]);
}

#[tokio::test]
async fn a_node_without_its_disks_line_is_no_longer_managed() {
    let fleet = Fleet::new().await;
    let _node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let without = config(&[("a", &[])]);
    let mut plan = operator.plan_text(&without, 1).await;
    let found = plan.nodes[0].unmanaged.take().unwrap();
    assert_eq!((found.pool.as_str(), found.backplane), ("data", false));
    assert_eq!(found.serials, DISKS);
    operator.apply_plan(&plan, fleet.clock.now_ms()).await.unwrap();

    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(
        (status.light(), status.nodes[0].config.as_str()),
        (Light::Amber, "not managed")
    );
    let told = |alert: &v1::Alert| {
        alert
            .text
            .contains("pool data is on record, but heeler.toml names no disks")
    };
    assert!(status.alerts.iter().any(told), "{status:?}");
    // The advice of the plan works.
    let back = operator.plan_text(&config(&[("a", DISKS)]), 2).await;
    assert_eq!(back.nodes[0].unmanaged, None);
    operator.apply_plan(&back, fleet.clock.now_ms()).await.unwrap();
    let status = operator.status(v1::StatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.nodes[0].config, "same");
}

#[tokio::test]
async fn a_dropped_dataset_is_no_longer_managed() {
    let fleet = Fleet::new().await;
    let _node = Node::added(&fleet, machine("a", DISKS), "a").await;
    let mut operator = fleet.operator().await;
    pooled(&fleet, &mut operator).await;
    let fewer = config(&[("a", DISKS)]) + "pool = { datasets = [{ name = \"data/vm\", mountpoint = \"none\" }] }\n";
    let plan = operator.plan_text(&fewer, 1).await;
    let found = plan.nodes[0].unmanaged.clone().unwrap();
    assert_eq!(
        (found.pool.as_str(), found.datasets.as_slice()),
        ("", &["data/pve-files".to_owned()][..])
    );
}
