//! Questions by UDP and TCP, answered from the newest zone.

#[cfg(test)]
mod tests;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use hickory_proto::{
    op::{Edns, Header, HeaderCounts, Metadata, OpCode, ResponseCode},
    rr::{DNSClass, Record, RecordType},
};
use hickory_server::{
    net::runtime::Time,
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo, Server},
    zone_handler::MessageResponseBuilder,
};
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::watch::Receiver,
};
use tracing::{debug, warn};

use crate::zone::{Answer, Zone};

/// A connection that asks nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(30);

/// Answers that one connection may have waiting to be sent.
const PENDING_ANSWERS: usize = 32;

/// Largest UDP answer, in bytes, to whoever says that it takes larger ones than 512: one that is never fragmented.
const LARGEST_DATAGRAM: u16 = 1232;

/// Answers on both sockets until the server is dropped.
pub(crate) fn start(udp: UdpSocket, tcp: TcpListener, zone: Receiver<Zone>) -> Server<Resolver> {
    let mut server = Server::new(Resolver { zone, turn: AtomicUsize::new(0) });
    server.register_socket(udp);
    server.register_listener(tcp, IDLE, PENDING_ANSWERS);
    server
}

pub(crate) struct Resolver {
    zone: Receiver<Zone>,
    /// Counts answers, so that each endpoint of a headless service comes first in its turn.
    turn: AtomicUsize,
}

impl Resolver {
    fn answer(&self, request: &Request) -> Answer {
        if request.version() > 0 {
            return refusal(ResponseCode::BADVERS);
        }
        if request.metadata.op_code != OpCode::Query {
            return refusal(ResponseCode::NotImp);
        }
        let Ok(info) = request.request_info() else { return refusal(ResponseCode::FormErr) };
        if !matches!(info.query.query_class(), DNSClass::IN | DNSClass::ANY) {
            return refusal(ResponseCode::Refused);
        }
        let mut answer = self.zone.borrow().answer(info.query.name(), info.query.query_type());
        debug!(name = %info.query.name(), kind = %info.query.query_type(), code = %answer.code, records = answer.answers.len(), "answered");
        self.rotate(&mut answer.answers);
        answer
    }

    fn rotate(&self, answers: &mut [Record]) {
        let aliases =
            answers.iter().take_while(|record| record.record_type() == RecordType::CNAME).count();
        let rest = &mut answers[aliases..];
        if rest.len() > 1 {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            rest.rotate_left(turn % rest.len());
        }
    }
}

fn refusal(code: ResponseCode) -> Answer {
    Answer { code, answers: Vec::new(), soa: None, additionals: Vec::new() }
}

#[async_trait::async_trait]
impl RequestHandler for Resolver {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let answer = self.answer(request);
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.authoritative = true;
        metadata.response_code = answer.code;
        let edns = request.edns.as_ref().map(|_| {
            let mut edns = Edns::new();
            edns.set_max_payload(request.max_payload().min(LARGEST_DATAGRAM));
            edns.set_rcode_high((u16::from(answer.code) >> 4) as u8);
            edns
        });
        let mut builder = MessageResponseBuilder::from_message_request(request);
        if let Some(edns) = &edns {
            builder.edns(edns);
        }
        let response =
            builder.build(metadata, &answer.answers, None, &answer.soa, &answer.additionals);
        match response_handle.send_response(response).await {
            Ok(info) => info,
            Err(error) => {
                warn!(to = %request.src(), %error, "cannot send an answer");
                Header { metadata, counts: HeaderCounts::default() }.into()
            }
        }
    }
}
