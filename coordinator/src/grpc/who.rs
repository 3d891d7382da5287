use tonic::Status;
use tonic::codegen::http::Extensions;
use tonic::transport::server::UdsConnectInfo;

use super::status::protocol;
use crate::app::Who;
use crate::tls::Caller;

/// The caller: from the certificate, else from the kernel's credentials of the Unix socket. Fails when neither is
/// known.
pub(super) fn who(extensions: &Extensions) -> Result<Who, Status> {
    if let Some(operator) = extensions.get::<Caller>().and_then(|caller| caller.operator.clone()) {
        return Ok(Who {
            name: operator.name.into(),
            key_sha256: Some(operator.key_sha256),
        });
    }
    let credentials = extensions.get::<UdsConnectInfo>().and_then(|info| info.peer_cred);
    let credentials = credentials.ok_or_else(|| protocol("the caller is unknown"))?;
    Ok(Who::local(credentials.uid()))
}
