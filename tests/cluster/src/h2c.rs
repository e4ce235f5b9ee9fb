//! A local HTTP/2 server without TLS (prior knowledge, RFC 9113 §3.3).

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The bytes that [`upload`] sends.
pub const UPLOAD: usize = 100_000;

/// Arguments for `curl` to send [`UPLOAD`] bytes to `url` by HTTP/2. One request a connection: curl 7.88 cannot use one again after prior knowledge.
pub fn upload(url: &str) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["-s", "-S", "--max-time", "20", "--http2-prior-knowledge", "--data-binary"]
            .map(Into::into)
            .into();
    arguments.extend(["x".repeat(UPLOAD), url.into()]);
    arguments
}

/// Answers every request with its HTTP version and the number of bytes of its body. Stopped when dropped.
pub struct Http2 {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Http2 {
    /// Starts one on any free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(TokioIo::new(connection), service_fn(answer)));
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let version = request.version();
    let text = match request.into_body().collect().await {
        Ok(body) => format!("{version:?} {}", body.to_bytes().len()),
        Err(error) => format!("{version:?} {error}"),
    };
    Ok(Response::new(Full::new(Bytes::from(text))))
}
