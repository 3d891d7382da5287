use std::path::Path;
use std::time::Duration;

use heeler_proto::v1::operator_client::OperatorClient;
use tonic::transport::{Channel, Endpoint};

use super::{CliError, Result};

/// A connection to the coordinator.
pub type Client = OperatorClient<Channel>;

/// Largest message accepted, in bytes: a reply may hold the plans of all nodes.
pub(super) const LARGEST: usize = crate::app::REPLY;

/// Connects to the coordinator's socket. Fails with [`CliError::NotRunning`] when no coordinator listens on it,
/// [`CliError::NoState`] when there is none.
pub async fn connect(state: &Path) -> Result<Client> {
    let socket = state.join("heeler.sock");
    let not_running = || match is_elsewhere(state) {
        true => CliError::NoState(state.to_owned()),
        false => CliError::NotRunning(socket.clone()),
    };
    let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).map_err(|_| not_running())?;
    let channel = endpoint
        .connect_timeout(Duration::from_secs(5))
        .connect()
        .await
        .map_err(|_| not_running())?;
    Ok(OperatorClient::new(channel).max_decoding_message_size(LARGEST))
}

/// Whether the folder does not exist, or holds an operator's key and no coordinator. False when it cannot be read.
fn is_elsewhere(state: &Path) -> bool {
    let lacks = |path: &Path| matches!(path.try_exists(), Ok(false));
    lacks(state) || (state.join("operators").is_dir() && lacks(&state.join("heeler.db")))
}
