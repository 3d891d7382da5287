//! A certificate authority gives way to another one, and nobody is shut out who should not be.

use heeler_coordinator::cli::Exit;
use heeler_proto::v1;
use heeler_tests::{Herd, Laptop, Node, Stranger};

use crate::scene::machine;

async fn trusts_all(herd: &Herd) {
    let mut operator = herd.operator().await;
    loop {
        let shown = operator
            .show_authorities(v1::ShowAuthoritiesRequest {})
            .await
            .unwrap()
            .into_inner();
        if shown.waiting.is_empty() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_authority_follows_another_one_and_the_node_follows_over_a_restart_after_each_step() {
    let mut herd = Herd::new().await;
    let node = Node::added(&herd, machine("a", &[]), "a").await;
    let stranger = Stranger::enrolled(&herd, "b").await;
    let first = herd.ca();
    let me = Laptop::beside(&herd);
    for step in ["announced", "still taken", "signs"] {
        herd.clock.advance(60_000);
        let said = me.does(&herd.clock, "ca rotate --yes --without b").await;
        assert!(said.contains(step), "{said}");
        let last = herd.operator().await.wait_for("connected", "a").await.id;
        herd.kill().await;
        herd.start().await.unwrap();
        herd.operator().await.wait_after(last, "connected", "a").await;
        let mut operator = herd.operator().await;
        loop {
            let shown = operator
                .show_authorities(v1::ShowAuthoritiesRequest {})
                .await
                .unwrap()
                .into_inner();
            if shown.waiting.iter().all(|waiting| waiting.node != "a") {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert_ne!(herd.ca(), first);
    assert!(
        !herd.state().ca().join("next").exists(),
        "the new key lies where the old one lay"
    );
    let shown = herd
        .operator()
        .await
        .show_authorities(v1::ShowAuthoritiesRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(shown.authorities.len(), 1);
    // What the old one signed is worth nothing; the new one is not that stranger's.
    stranger.join(Stranger::hello("b")).await.err().unwrap();
    Stranger::enrolled(&herd, "c")
        .await
        .join(Stranger::hello("c"))
        .await
        .unwrap();
    drop(node);
}

#[tokio::test]
async fn a_node_that_was_not_told_stands_in_the_way_until_it_is_back_or_left_behind() {
    let herd = Herd::new().await;
    let mut node = Node::added(&herd, machine("a", &[]), "a").await;
    node.kill();
    herd.operator().await.wait_for("lost", "a").await;
    let me = Laptop::beside(&herd);
    let said = me.does(&herd.clock, "ca rotate --yes").await;
    assert!(said.contains("a: it has not been told"), "{said}");
    let outcome = me.types(&herd.clock, "ca rotate --yes").await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert!(outcome.err.contains("--without a"), "{}", outcome.err);
    node.start();
    trusts_all(&herd).await;
    me.does(&herd.clock, "ca rotate --yes").await;
}

#[tokio::test]
async fn what_a_crash_left_of_an_authority_that_nobody_was_told_of_is_cleared_away() {
    let mut herd = Herd::new().await;
    let next = herd.state().ca().join("next");
    herd.stop().await;
    std::fs::create_dir(&next).unwrap();
    std::fs::copy(herd.state().ca().join("key.pem"), next.join("key.pem")).unwrap();
    herd.start().await.unwrap();
    assert!(!next.exists());
}

#[tokio::test]
async fn an_authority_is_announced_by_an_operators_word_alone() {
    let herd = Herd::new().await;
    let mut operator = herd.operator().await;
    let step = |step: v1::rotate_authority_request::Step| v1::RotateAuthorityRequest {
        step: step.into(),
        ..Default::default()
    };
    use v1::rotate_authority_request::Step;
    operator.rotate_authority(step(Step::Make)).await.unwrap();
    operator.rotate_authority(step(Step::Begin)).await.unwrap_err();
    operator.rotate_authority(step(Step::Switch)).await.unwrap_err();
    let shown = operator
        .show_authorities(v1::ShowAuthoritiesRequest {})
        .await
        .unwrap()
        .into_inner();
    let made = shown
        .authorities
        .iter()
        .filter(|authority| authority.stage() == v1::AuthorityStage::Made);
    assert_eq!((shown.authorities.len(), made.count()), (2, 1));
}
