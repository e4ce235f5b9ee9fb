//! Connections that the client wants made from the pod.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use towline_wire::chunk::{self, Kind};
use towline_wire::mux::MuxStream;
use towline_wire::{Failure, FailureKind, Traffic, carry};
use tracing::debug;

use super::names::Names;

/// How long one address may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// How long the next address waits for the one before (RFC 8305 recommends 250 ms).
const STAGGER: Duration = Duration::from_millis(250);

/// Makes the connection, says how it went, and carries it.
pub(crate) async fn serve(mut stream: MuxStream, host: &str, port: u16, names: &Names) {
    let connected = async { connect(host, &names.addresses(host).await?, port).await };
    let tcp = match connected.await {
        Ok(tcp) => tcp,
        Err(failure) => {
            debug!("{failure}");
            if let Err(error) = chunk::write_failure(&mut stream, &failure).await {
                debug!("the client has gone: {error}");
            }
            return;
        }
    };
    if let Err(error) = chunk::write_mark(&mut stream, Kind::Ready).await {
        debug!("the client has gone: {error}");
        return;
    }
    if let Err(error) = carry(tcp, stream, &Traffic::default(), || ()).await {
        debug!("the connection to {host}:{port} ended: {error}");
    }
}

/// Tries the addresses in turn, the next one beginning when the one before has failed or has been silent for [`STAGGER`]. The first that
/// connects wins; where none does, the first failure is told.
async fn connect(host: &str, addresses: &[IpAddr], port: u16) -> Result<TcpStream, Failure> {
    let mut rest = addresses.iter().map(|&address| SocketAddr::new(address, port));
    let mut attempts = FuturesUnordered::new();
    let mut first_failure = None;
    loop {
        let begun = rest.next().map(|address| attempts.push(attempt(host, address)));
        let finished = if begun.is_some() && rest.len() > 0 {
            tokio::select! {
                finished = attempts.next() => finished,
                () = sleep(STAGGER) => continue,
            }
        } else {
            attempts.next().await
        };
        match finished {
            Some(Ok(tcp)) => return Ok(tcp),
            Some(Err(failure)) => {
                first_failure.get_or_insert(failure);
            }
            None => {
                return Err(first_failure.unwrap_or_else(|| Failure {
                    kind: FailureKind::NotFound,
                    message: format!("{host} has no address"),
                }));
            }
        }
    }
}

async fn attempt(host: &str, address: SocketAddr) -> Result<TcpStream, Failure> {
    let of = if host == address.ip().to_string() { String::new() } else { format!(" ({host})") };
    match timeout(LIMIT, TcpStream::connect(address)).await {
        Ok(Ok(tcp)) => {
            // A socket that does not take this option is gone; carrying it tells.
            let _ = tcp.set_nodelay(true);
            Ok(tcp)
        }
        Ok(Err(error)) => Err(Failure {
            kind: FailureKind::from(&error),
            message: format!("connecting to {address}{of} from the pod failed: {error}"),
        }),
        Err(_) => Err(Failure {
            kind: FailureKind::TimedOut,
            message: format!(
                "connecting to {address}{of} from the pod failed: no answer within {} s",
                LIMIT.as_secs()
            ),
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let addresses = [Ipv4Addr::new(127, 0, 0, 3).into(), Ipv4Addr::new(127, 0, 0, 2).into()];
        let tcp = connect("orders", &addresses, port).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), listener.local_addr().unwrap());
    }

    #[tokio::test]
    async fn the_first_refusal_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let addresses = [Ipv4Addr::new(127, 0, 0, 1).into(), Ipv4Addr::new(127, 0, 0, 2).into()];
        let failure = connect("orders", &addresses, port).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused);
        let expected = format!("connecting to 127.0.0.1:{port} (orders) from the pod failed");
        assert!(failure.message.starts_with(&expected), "{failure}");
    }
}
