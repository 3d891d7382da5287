use tonic::Status;
use tonic::codegen::http::Extensions;
use tonic::transport::server::UdsConnectInfo;

use super::status::protocol;
use crate::app::Who;
use crate::tls::Caller;

/// The caller: from the certificate, else from the kernel's credentials of the Unix socket.
pub(super) fn who(extensions: &Extensions) -> Option<Who> {
    if let Some(operator) = extensions.get::<Caller>().and_then(|caller| caller.operator.clone()) {
        return Some(Who {
            name: operator.name.into(),
            key_sha256: Some(operator.key_sha256),
        });
    }
    let credentials = extensions.get::<UdsConnectInfo>().and_then(|info| info.peer_cred)?;
    Some(Who::local(credentials.uid()))
}

/// The error for a call without a known caller.
pub(super) fn nobody() -> Status {
    protocol("the caller is unknown")
}
