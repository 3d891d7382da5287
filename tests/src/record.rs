use heeler_coordinator::pki::{Ca, NodeRequest, issue_node};
use heeler_coordinator::state::StateFolder;
use heeler_proto::NodeName;
use heeler_store::{NodeState, Store};
use rcgen::{CertificateParams, KeyPair};

/// Puts enrolled nodes on record while no coordinator runs. Returns their certificate chains, PEM.
pub async fn put_on_record(state: &StateFolder, nodes: &[(String, &KeyPair)], now_ms: u64) -> Vec<String> {
    let ca = Ca::load(&state.ca()).unwrap();
    let store = Store::open(&state.database()).await.unwrap();
    let mut tx = store.write().await.unwrap();
    let mut chains = Vec::new();
    for (number, (name, key)) in nodes.iter().enumerate() {
        let name = NodeName::new(name).unwrap();
        let csr = CertificateParams::default().serialize_request(key).unwrap();
        let request = NodeRequest::parse(csr.der()).unwrap();
        tx.add_node(name.as_str(), &format!("{number:08x}")).await.unwrap();
        let mut node = tx.node(name.as_str()).await.unwrap().unwrap();
        (node.state, node.key_sha256) = (NodeState::Enrolled, Some(request.key_sha256));
        tx.set_node(&node).await.unwrap();
        chains.push(issue_node(&ca, &request, &name, now_ms).unwrap().chain);
    }
    tx.save().await.unwrap();
    store.close().await;
    chains
}
