//! A certificate authority is replaced, and no node or operator is wrongly shut out.

use std::collections::BTreeMap;

use heeler_coordinator::cli::Exit;
use heeler_proto::v1;
use heeler_tests::{BareAgent, Fleet, Laptop, Node, Operator};

use crate::scene::{machine, until};

/// Whether every node except `but` knows every authority.
async fn told(operator: &mut Operator, but: &[&str]) -> bool {
    let shown = authorities(operator).await;
    shown.waiting.iter().all(|waiting| but.contains(&waiting.node.as_str()))
}

async fn authorities(operator: &mut Operator) -> v1::ShowAuthoritiesReply {
    let shown = operator.show_authorities(v1::ShowAuthoritiesRequest {}).await;
    shown.unwrap().into_inner()
}

#[tokio::test]
async fn rotation_survives_a_restart_after_each_step() {
    let mut fleet = Fleet::new().await;
    let node = Node::added(&fleet, machine("a", &[]), "a").await;
    let agent = BareAgent::enrolled(&fleet, "b").await;
    let first = fleet.ca();
    let me = Laptop::beside(&fleet);
    for step in ["announced", "still trusted", "signs"] {
        fleet.clock.advance(60_000);
        let said = me.does(&fleet.clock, "ca rotate --yes --without b").await;
        assert!(said.contains(step), "{said}");
        let last = fleet.operator().await.wait_for(v1::EventKind::Connected, "a").await.id;
        fleet.kill().await;
        fleet.start().await.unwrap();
        fleet
            .operator()
            .await
            .wait_after(last, v1::EventKind::Connected, "a")
            .await;
        let mut operator = fleet.operator().await;
        until(async || told(&mut operator, &["b"]).await).await;
    }
    assert_ne!(fleet.ca(), first);
    assert!(
        !fleet.state().ca().join("next").exists(),
        "the new key lies where the old one lay"
    );
    let shown = authorities(&mut fleet.operator().await).await;
    assert_eq!(shown.authorities.len(), 1);
    // A certificate of the old authority is refused; one of the new authority is accepted.
    agent.join(BareAgent::hello("b")).await.err().unwrap();
    BareAgent::enrolled(&fleet, "c")
        .await
        .join(BareAgent::hello("c"))
        .await
        .unwrap();
    drop(node);
}

#[tokio::test]
async fn an_absent_node_blocks_the_rotation() {
    let fleet = Fleet::new().await;
    let mut node = Node::added(&fleet, machine("a", &[]), "a").await;
    node.kill();
    fleet.operator().await.wait_for(v1::EventKind::Lost, "a").await;
    let me = Laptop::beside(&fleet);
    let said = me.does(&fleet.clock, "ca rotate --yes").await;
    assert!(said.contains("a: it does not have the new authority yet"), "{said}");
    let outcome = me.types(&fleet.clock, "ca rotate --yes").await;
    assert_eq!(outcome.exit, Exit::Refused);
    assert!(outcome.err.contains("--without a"), "{}", outcome.err);
    node.start();
    let mut operator = fleet.operator().await;
    until(async || told(&mut operator, &[]).await).await;
    me.does(&fleet.clock, "ca rotate --yes").await;
}

/// Files of the authority's folder and of its subfolder `next`.
type Files = BTreeMap<&'static str, Vec<u8>>;

const ALL: [&str; 4] = ["key.pem", "certificate.pem", "next/key.pem", "next/certificate.pem"];

fn files(fleet: &Fleet) -> Files {
    let read = |name: &'static str| Some((name, std::fs::read(fleet.state().ca().join(name)).ok()?));
    ALL.into_iter().filter_map(read).collect()
}

/// Leaves these files, as a killed coordinator would.
fn leave(fleet: &Fleet, files: &Files) {
    let folder = fleet.state().ca();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::create_dir_all(folder.join("next")).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

async fn takes_nodes_on(fleet: &Fleet, name: &str) {
    let agent = BareAgent::enrolled(fleet, name).await;
    agent.join(BareAgent::hello(name)).await.unwrap();
}

#[tokio::test]
async fn an_interrupted_new_authority_is_made_again() {
    let mut fleet = Fleet::new().await;
    let first = files(&fleet);
    let (key, certificate) = (first["key.pem"].clone(), first["certificate.pem"].clone());
    let mut left = first.clone();
    for (name, bytes) in [
        ("next/key.new", key[..key.len() / 2].to_vec()),
        ("next/key.pem", key),
        ("next/certificate.new", certificate[..certificate.len() / 2].to_vec()),
        ("next/certificate.pem", certificate),
    ] {
        left.insert(name, bytes);
        fleet.kill().await;
        leave(&fleet, &left);
        fleet.start().await.unwrap();
        assert!(!fleet.state().ca().join("next").exists(), "{name}");
        assert_eq!(files(&fleet), first, "{name}");
    }
    // Stored in the database, and no node knows of it.
    let request = v1::RotateAuthorityRequest {
        step: v1::rotate_authority_request::Step::Make.into(),
        ..Default::default()
    };
    fleet.operator().await.rotate_authority(request).await.unwrap();
    let made = files(&fleet);
    fleet.kill().await;
    fleet.start().await.unwrap();
    assert_eq!(files(&fleet), made);
    let said = Laptop::beside(&fleet).does(&fleet.clock, "ca rotate --yes").await;
    assert!(said.contains("announced"), "{said}");
    assert_eq!(files(&fleet), made, "it is that one");
}

#[tokio::test]
async fn an_interrupted_drop_ends_with_the_new_authority() {
    let mut fleet = Fleet::new().await;
    let me = Laptop::beside(&fleet);
    for step in ["announced", "still trusted"] {
        let said = me.does(&fleet.clock, "ca rotate --yes").await;
        assert!(said.contains(step), "{said}");
    }
    let mut left = files(&fleet);
    assert_eq!(left.len(), 4);
    me.does(&fleet.clock, "ca rotate --yes").await;
    let after = files(&fleet);
    assert_eq!(after.len(), 2);
    let half = |name: &str| Some(after[name][..after[name].len() / 2].to_vec());
    let whole = |name: &str| Some(after[name].clone());
    let effects = [
        ("key.new", half("key.pem")),
        ("key.pem", whole("key.pem")),
        ("certificate.new", half("certificate.pem")),
        ("certificate.pem", whole("certificate.pem")),
        ("next/key.pem", None),
        ("next/certificate.pem", None),
    ];
    for (at, (name, bytes)) in effects.into_iter().enumerate() {
        fleet.kill().await;
        leave(&fleet, &left);
        fleet.start().await.unwrap();
        assert_eq!(files(&fleet), after, "before {name}");
        takes_nodes_on(&fleet, &format!("n{at}")).await;
        match bytes {
            Some(bytes) => left.insert(name, bytes),
            None => left.remove(name),
        };
    }
}

#[tokio::test]
async fn a_rotation_continues_after_a_restore() {
    for done in 0..=2 {
        let mut fleet = Fleet::new().await;
        fleet.make_recovery_key().await;
        let first = fleet.ca();
        let me = Laptop::beside(&fleet);
        for _ in 0..done {
            me.does(&fleet.clock, "ca rotate --yes").await;
        }
        if done == 0 {
            let request = v1::RotateAuthorityRequest {
                step: v1::rotate_authority_request::Step::Make.into(),
                ..Default::default()
            };
            fleet.operator().await.rotate_authority(request).await.unwrap();
        }
        let saved = files(&fleet);
        assert_eq!(saved.len(), 4);
        let archive = fleet.back_up().await;
        fleet.kill().await;
        fleet.destroy();
        fleet.restore(&archive).await.unwrap();
        assert_eq!(files(&fleet), saved, "after {done} steps");
        fleet.start().await.unwrap();
        for _ in done..3 {
            me.does(&fleet.clock, "ca rotate --yes").await;
        }
        assert_ne!(fleet.ca(), first, "after {done} steps");
        takes_nodes_on(&fleet, "a").await;
    }
}

#[tokio::test]
async fn announcing_an_authority_needs_an_operators_signature() {
    let fleet = Fleet::new().await;
    let mut operator = fleet.operator().await;
    let step = |step: v1::rotate_authority_request::Step| v1::RotateAuthorityRequest {
        step: step.into(),
        ..Default::default()
    };
    use v1::rotate_authority_request::Step;
    operator.rotate_authority(step(Step::Make)).await.unwrap();
    operator.rotate_authority(step(Step::Begin)).await.unwrap_err();
    operator.rotate_authority(step(Step::Switch)).await.unwrap_err();
    let shown = authorities(&mut operator).await;
    let made = shown
        .authorities
        .iter()
        .filter(|authority| authority.stage() == v1::AuthorityStage::Made);
    assert_eq!((shown.authorities.len(), made.count()), (2, 1));
}
