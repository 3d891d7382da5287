use tokio_stream::StreamExt as _;

use super::*;

fn session(id: u64, outbox: usize) -> (Arc<Session>, mpsc::Receiver<Box<v1::ToAgent>>) {
    let (out, messages) = mpsc::channel(outbox);
    (
        Arc::new(Session::new(
            id,
            (NodeName::new("a").unwrap(), [0; 32]),
            String::new(),
            out,
        )),
        messages,
    )
}

#[test]
fn a_node_has_one_session() {
    let sessions = Sessions::default();
    let ((first, _a), (second, _b)) = (session(1, 1), session(2, 1));
    sessions.open(&first).unwrap();
    assert_eq!(sessions.open(&second).unwrap_err().id, 1);
    assert!(!sessions.remove(&second));
    assert!(sessions.remove(&first));
    sessions.open(&second).unwrap();
    assert!(!sessions.remove(&first));
    assert!(sessions.of(&second.node).is_none());
    second.welcome(v1::Welcome::default());
    assert_eq!(sessions.of(&second.node).unwrap().id, 2);
}

#[tokio::test]
async fn closing_says_why_and_ends_the_stream() {
    let (session, mut messages) = session(1, 4);
    session.close("revoked");
    let goodbye = messages.next().await.unwrap().body.unwrap();
    assert_eq!(
        goodbye,
        Body::Goodbye(v1::Goodbye {
            reason: "revoked".into()
        })
    );
    assert_eq!(messages.next().await, None);
    session.closed().await;
    assert!(!session.send(Body::Ping(v1::Ping { nonce: 1 })));
}

#[tokio::test]
async fn an_agent_that_does_not_read_loses_its_session() {
    let (session, _messages) = session(1, 0);
    assert!(session.send(Body::Ping(v1::Ping { nonce: 1 })));
    assert!(!session.send(Body::Ping(v1::Ping { nonce: 2 })));
    session.closed().await;
}

#[tokio::test]
async fn a_task_is_handed_out_once_over_a_stream() {
    let (session, mut messages) = session(1, 4);
    let task = TaskId::from_random(1);
    session.assign(task.clone(), v1::Assignment::default());
    session.assign(task.clone(), v1::Assignment::default());
    assert!(session.has_task(&task));
    assert!(messages.next().await.is_some());
    assert!(messages.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_silent_agent_is_dead_after_five_seconds() {
    let (session, _messages) = session(1, 4);
    assert!(!session.is_alive().await);
}

#[tokio::test]
async fn waiting_callers_fail_when_the_session_ends() {
    let (session, _messages) = session(1, 4);
    let sessions = Sessions::default();
    sessions.open(&session).unwrap();
    let answer = session.ask(v1::FactsRequest::default(), PING);
    let (answer, ()) = tokio::join!(answer, async {
        sessions.remove(&session);
    });
    assert_eq!(answer, Err(NoAnswer::Lost));
}

#[tokio::test]
async fn an_ended_session_fails_a_question_at_once() {
    let (session, _messages) = session(1, 4);
    session.close("revoked");
    let answer = session.ask(v1::FactsRequest::default(), Duration::MAX).await;
    assert_eq!(answer, Err(NoAnswer::Lost));
}
