//! A node that lies, or says too much, harms nobody but itself.

use heeler_proto::v1;
use heeler_tests::{Herd, Stranger};

#[tokio::test]
async fn numbers_that_nobody_counted_to_are_refused_and_told_and_the_herd_counts_on() {
    let herd = Herd::new().await;
    let stranger = Stranger::enrolled(&herd, "a").await;
    let (line, before) = stranger.join(Stranger::hello("a")).await.unwrap();
    drop(line);
    let generation = |epoch, counter| Some(v1::Generation { epoch, counter });
    let lies = [
        v1::Hello {
            generation: generation(u64::MAX, 1),
            ..Stranger::hello("a")
        },
        v1::Hello {
            generation: generation(1, u64::MAX),
            ..Stranger::hello("a")
        },
        v1::Hello {
            acknowledged: u64::MAX,
            last_event: u64::MAX,
            ..Stranger::hello("a")
        },
    ];
    for lie in lies {
        let refused = stranger.join(lie).await.map(drop).unwrap_err();
        assert!(refused.contains("what cannot be"), "{refused}");
    }
    let status = herd.operator().await.status(v1::StatusRequest {}).await.unwrap();
    let alarms = status.into_inner().alerts;
    assert_eq!(
        alarms.iter().filter(|alert| alert.text.contains("cannot be")).count(),
        3,
        "{alarms:?}"
    );
    let (_line, after) = stranger.join(Stranger::hello("a")).await.unwrap();
    assert_eq!((after.epoch, after.acknowledged), (before.epoch, before.acknowledged));
}

#[tokio::test]
async fn a_node_that_is_ahead_again_and_again_is_paused_and_written_down_once() {
    let herd = Herd::new().await;
    let stranger = Stranger::enrolled(&herd, "a").await;
    drop(stranger.join(Stranger::hello("a")).await.unwrap());
    for counter in 1..10 {
        let generation = Some(v1::Generation { epoch: 1, counter });
        let hello = v1::Hello {
            generation,
            ..Stranger::hello("a")
        };
        drop(stranger.join(hello).await.unwrap());
    }
    let request = v1::ListAuditRequest {
        limit: 100,
        ..v1::ListAuditRequest::default()
    };
    let audit = herd.operator().await.list_audit(request).await;
    let entries = audit.unwrap().into_inner().entries;
    let pauses = entries.iter().filter(|entry| entry.action == "node paused");
    assert_eq!(pauses.count(), 1, "{entries:?}");
}
