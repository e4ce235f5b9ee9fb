//! A stand-in for the API server: it hands everything on to the real one, except for what a test wants to have no answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::namespace::Namespace;

/// See the module. Stopped when dropped.
pub struct Front {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Front {
    /// Starts one on any free port of 127.0.0.1, with the rights of `client`. Requests whose path is `silent` are taken and never answered.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(
        client: Client,
        silent: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let silent = Arc::new(silent);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (client, silent) = (client.clone(), silent.clone());
                let answer = service_fn(move |request: Request<Incoming>| {
                    let (client, silent) = (client.clone(), silent.clone());
                    async move {
                        if silent(request.uri().path()) {
                            std::future::pending::<()>().await;
                        }
                        hand_on(&client, request).await
                    }
                });
                let server = hyper::server::conn::http1::Builder::new();
                tokio::spawn(server.serve_connection(TokioIo::new(connection), answer));
            }
        });
        Ok(Self { address, task })
    }

    /// Writes a kubeconfig that leads here.
    ///
    /// # Errors
    /// When there is no kubeconfig to begin with.
    pub async fn kubeconfig(&self, namespace: &Namespace) -> Result<std::path::PathBuf> {
        let here = json!({ "server": format!("http://{}", self.address) });
        namespace
            .kubeconfig_with("front", |config| {
                config["clusters"][0]["cluster"] = here;
                config["users"][0]["user"] = json!({});
            })
            .await
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hand_on(client: &Client, request: Request<Incoming>) -> Result<Response<Body>> {
    let (mut head, body) = request.into_parts();
    // The client knows where its server is, and who it is itself.
    head.uri = head.uri.path_and_query().map_or_else(Uri::default, |path| path.clone().into());
    head.headers.remove("host");
    let body = body.collect().await?.to_bytes();
    Ok(client.send(Request::from_parts(head, Body::from(body.to_vec()))).await?)
}
