//! What is asked before a node is released or removed.

use heeler_proto::v1::Gate;
use serde_json::Value;

use super::fake::{Script, Stage};
use crate::cli::Exit;

fn gate(found: &str, blocks: bool, next: &str, word: &str) -> Gate {
    Gate {
        found: found.into(),
        blocks,
        next: next.into(),
        word: word.into(),
    }
}

fn gated(gates: Vec<Gate>) -> Stage {
    let script = Script {
        gates,
        ..Script::default()
    };
    Stage::with("", script)
}

fn went(stage: &Stage) -> bool {
    stage.fake.0.lock().unwrap().went
}

#[tokio::test]
async fn a_release_shows_what_stops_and_asks() {
    let stage = gated(vec![]);
    let no = stage.types_and_says("node release pi5l", &["n"]).await;
    assert_eq!((no.exit, went(&stage)), (Exit::Refused, false));
    assert_eq!(
        no.out,
        "Without its agent, on pi5l\n  stops      new snapshots\n  starts     monthly scrubs of data, by a \
         timer\n  continues  pools\n"
    );
    assert_eq!(no.asked, ["Remove the agent from pi5l? [y/N]"]);
    let nobody = stage.types("node release pi5l").await;
    assert!(
        nobody.err.contains("To agree: heeler node release pi5l --yes"),
        "{}",
        nobody.err
    );
    assert!(!went(&stage));
    let yes = stage.types_and_says("node release pi5l", &["y"]).await;
    assert_eq!((yes.exit, went(&stage)), (Exit::Fine, true));
    assert!(
        yes.out
            .contains("To remove it from the record: heeler node remove pi5l"),
        "{}",
        yes.out
    );
    assert!(
        yes.out.ends_with("To take it back: heeler node add pi5l\n"),
        "{}",
        yes.out
    );
    let told: Value = serde_json::from_str(&stage.types("node release pi5l --yes --json").await.out).unwrap();
    assert_eq!(
        (&told["released"], &told["stops"][0]),
        (&true.into(), &"new snapshots".into())
    );
}

#[tokio::test]
async fn an_impossible_removal_is_not_asked_about() {
    let stage = gated(vec![gate("pi5l is connected", true, "heeler node release pi5l", "")]);
    for line in ["node remove pi5l --yes", "node remove pi5l"] {
        let refused = stage.types_and_says(line, &["y"]).await;
        assert_eq!((refused.exit, went(&stage)), (Exit::Person, false));
        assert_eq!(
            refused.out,
            "BLOCKED  pi5l is connected\n         heeler node release pi5l\nNothing was changed.\n"
        );
    }
    let told: Value = serde_json::from_str(&stage.types("node remove pi5l --json").await.out).unwrap();
    assert_eq!(
        (&told["removed"], &told["gates"][0]["blocks"]),
        (&false.into(), &true.into())
    );
}

#[tokio::test]
async fn forgetting_a_pool_needs_its_name_typed() {
    let stage = gated(vec![gate("pool data is on record for pi5l", false, "", "pi5l/data")]);
    for answers in [&["y"][..], &["pi5l"], &["pi5l/dat"]] {
        let wrong = stage.types_and_says("node remove pi5l", answers).await;
        assert_eq!((wrong.exit, went(&stage)), (Exit::Refused, false), "{answers:?}");
        assert_eq!(wrong.asked, ["Type pi5l/data to remove that pool from the record:"]);
    }
    let yes_is_not_enough = stage.types("node remove pi5l --yes").await;
    assert!(
        yes_is_not_enough.err.contains("--confirm pi5l/data"),
        "{}",
        yes_is_not_enough.err
    );
    let stray = stage.types("node remove pi5l --confirm pi5r/data").await;
    assert_eq!((stray.exit, went(&stage)), (Exit::Usage, false));
    let typed = stage.types_and_says("node remove pi5l", &["pi5l/data"]).await;
    assert_eq!((typed.exit, went(&stage)), (Exit::Fine, true));
    assert!(
        typed.out.ends_with("pi5l is removed from the record.\n"),
        "{}",
        typed.out
    );
}
