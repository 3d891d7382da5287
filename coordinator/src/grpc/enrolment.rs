use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use heeler_proto::bounds::{self, ENROL_REQUEST};
use heeler_proto::v1;
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::status::status;
use crate::app::{App, Enrolment};
use crate::tls::Caller;

pub(super) struct Service(pub(super) Arc<App>);

#[tonic::async_trait]
impl v1::enrolment_server::Enrolment for Service {
    async fn enrol(&self, request: Request<v1::EnrolRequest>) -> Result<Response<v1::EnrolReply>, Status> {
        let from = request.extensions().get::<Caller>().and_then(|caller| caller.address);
        let request = request.into_inner();
        let bounded = bounds::check(&request.encode_to_vec(), ENROL_REQUEST);
        bounded.map_err(|excess| Status::invalid_argument(format!("enrolment refused: {excess}")))?;
        let enrolment = Enrolment {
            token: request.token,
            node: request.node,
            csr: request.csr,
            hardware_serial: request.hardware_serial,
            from: from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        };
        let enrolled = self.0.enrol(enrolment).await;
        let certificate_chain = enrolled.map_err(|error| status(&self.0, &error))?;
        Ok(Response::new(v1::EnrolReply { certificate_chain }))
    }
}
