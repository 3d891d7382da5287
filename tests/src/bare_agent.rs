use std::net::SocketAddr;
use std::sync::Arc;

use heeler_coordinator::pki::sha256;
use heeler_proto::v1::agent_client::AgentClient;
use heeler_proto::v1::enrolment_client::EnrolmentClient;
use heeler_proto::v1::{self, from_agent, reply::Answer, request::Ask, to_agent};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::tls::{client, dial};
use crate::{Fleet, HandClock};

/// A hand-made agent that sends what a test wants.
pub struct BareAgent {
    /// The key pair that it enrols with.
    pub key: KeyPair,
    /// Its certificate chain, PEM; empty before enrolment.
    pub chain: String,
    /// The board's serial number that it reports.
    pub board: String,
    ca: String,
    agents: SocketAddr,
    enrolment: SocketAddr,
    clock: Arc<HandClock>,
}

/// An open session.
pub struct Line {
    /// Messages to the coordinator.
    pub out: mpsc::Sender<v1::FromAgent>,
    incoming: Streaming<v1::ToAgent>,
}

impl BareAgent {
    /// A new key without a certificate.
    #[must_use]
    pub fn new(fleet: &Fleet) -> Self {
        let (agents, enrolment) = (fleet.agents, fleet.enrolment);
        let (key, clock) = (KeyPair::generate().unwrap(), fleet.clock.clone());
        Self {
            key,
            chain: String::new(),
            board: "board".into(),
            ca: fleet.ca(),
            agents,
            enrolment,
            clock,
        }
    }

    /// The same key with another certificate chain, PEM.
    #[must_use]
    pub fn with(&self, chain: String) -> Self {
        Self {
            key: KeyPair::from_pem(&self.key.serialize_pem()).unwrap(),
            chain,
            board: self.board.clone(),
            ca: self.ca.clone(),
            agents: self.agents,
            enrolment: self.enrolment,
            clock: self.clock.clone(),
        }
    }

    /// Enrols a new key under that name.
    pub async fn enrolled(fleet: &Fleet, node: &str) -> Self {
        let mut agent = Self::new(fleet);
        let token = fleet.operator().await.token(node, agent.key_sha256()).await;
        agent.chain = agent.enrol(node, &token).await.unwrap();
        agent
    }

    /// SHA-256 of its public key, as in a token.
    #[must_use]
    pub fn key_sha256(&self) -> [u8; 32] {
        sha256(&self.key.subject_public_key_info())
    }

    /// A certificate signing request, DER.
    #[must_use]
    pub fn csr(&self) -> Vec<u8> {
        CertificateParams::default()
            .serialize_request(&self.key)
            .unwrap()
            .der()
            .to_vec()
    }

    /// Asks for a certificate. Its error: the coordinator's status.
    pub async fn enrol(&self, node: &str, token: &str) -> Result<String, Status> {
        let channel = dial(self.enrolment, client(&self.ca, None, &self.clock)).await.unwrap();
        let request = v1::EnrolRequest {
            token: token.into(),
            node: node.into(),
            csr: self.csr(),
            hardware_serial: self.board.clone(),
        };
        let reply = EnrolmentClient::new(channel).enrol(request).await?;
        Ok(reply.into_inner().certificate_chain)
    }

    /// The hello of a well-behaved agent.
    #[must_use]
    pub fn hello(node: &str) -> v1::Hello {
        v1::Hello {
            node: node.into(),
            agent_version: "0".into(),
            hardware_serial: "board".into(),
            ..Default::default()
        }
    }

    /// Opens a stream and says hello. Its error: why TLS or the coordinator refused it.
    pub async fn connect(&self, hello: v1::Hello) -> Result<Line, String> {
        self.connect_with(from_agent::Body::Hello(hello)).await
    }

    /// Opens a stream and sends this message first. Its error: why TLS or the coordinator refused it.
    pub async fn connect_with(&self, first: from_agent::Body) -> Result<Line, String> {
        let key = self.key.serialize_pem();
        let own = (!self.chain.is_empty()).then_some((self.chain.as_str(), key.as_str()));
        let config = client(&self.ca, own, &self.clock);
        let channel = dial(self.agents, config).await.map_err(|error| format!("{error:?}"))?;
        let (out, messages) = mpsc::channel(64);
        out.try_send(message(first)).unwrap();
        let stream = AgentClient::new(channel).session(ReceiverStream::new(messages)).await;
        let incoming = stream.map_err(|status| format!("{status:?}"))?.into_inner();
        Ok(Line { out, incoming })
    }

    /// As [`Self::join`], and again until it succeeds. A key has four connections, and a busy coordinator may not have
    /// noticed yet that earlier ones are closed.
    pub async fn rejoin(&self, hello: &v1::Hello) -> (Line, v1::Welcome) {
        loop {
            match self.join(hello.clone()).await {
                Ok(joined) => return joined,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    /// Opens a stream and waits for the welcome. Its error: why it was refused.
    pub async fn join(&self, hello: v1::Hello) -> Result<(Line, v1::Welcome), String> {
        let mut line = self.connect(hello).await?;
        match line.next().await? {
            to_agent::Body::Welcome(welcome) => Ok((line, welcome)),
            other => Err(format!("no welcome but {other:?}")),
        }
    }
}

impl Line {
    /// The next message. Its error: why the stream ended.
    pub async fn next(&mut self) -> Result<to_agent::Body, String> {
        match self.incoming.message().await {
            Ok(Some(message)) => Ok(message.body.unwrap()),
            Ok(None) => Err("the stream has ended".into()),
            Err(status) => Err(status.message().into()),
        }
    }

    /// The first message for which `wanted` returns something; others are dropped.
    pub async fn next_that<T>(&mut self, wanted: impl Fn(to_agent::Body) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(self.next().await.unwrap()) {
                return found;
            }
        }
    }

    /// The request id, if the message asks for facts.
    #[must_use]
    pub fn asks_for_facts(body: to_agent::Body) -> Option<u64> {
        Self::asks(body, |ask| matches!(ask, Ask::Facts(_)).then_some(()))
    }

    /// The request id, if the message asks for something that is `wanted`.
    pub fn asks(body: to_agent::Body, wanted: impl Fn(Ask) -> Option<()>) -> Option<u64> {
        match body {
            to_agent::Body::Request(v1::Request { id, ask: Some(ask) }) => wanted(ask).map(|()| id),
            _ => None,
        }
    }

    /// Answers a request.
    pub async fn answer(&self, id: u64, answer: Answer) {
        self.say(from_agent::Body::Reply(v1::Reply {
            id,
            answer: Some(answer),
            ..v1::Reply::default()
        }))
        .await;
    }

    /// Sends a message.
    pub async fn say(&self, body: from_agent::Body) {
        self.out.send(message(body)).await.unwrap();
    }
}

fn message(body: from_agent::Body) -> v1::FromAgent {
    v1::FromAgent { body: Some(body) }
}
