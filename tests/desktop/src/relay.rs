//! A way to the API server that can be cut, without disturbing anybody else's.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use towline_cluster_tests::namespace::Namespace;

/// The relay. Ended when dropped.
pub struct Relay {
    whole: watch::Sender<bool>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Relay {
    /// Starts one to this server.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (whole, seen) = watch::channel(true);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, seen.clone()));
            }
        });
        Ok(Self { whole, address, task })
    }

    /// Starts one to the sandbox's API server, and writes a kubeconfig that leads through it, with one context of this name.
    ///
    /// # Errors
    /// When there is no kubeconfig.
    pub async fn for_window(namespace: &Namespace, context: &str) -> Result<(Self, PathBuf)> {
        let server = namespace
            .kubectl(&[
                "config",
                "view",
                "--minify",
                "-o",
                "jsonpath={.clusters[0].cluster.server}",
            ])
            .await?;
        let server = server.trim().strip_prefix("https://").context("a server by TLS")?.to_owned();
        let relay = Self::start(server.parse().context("a server by its address")?).await?;
        let name = server.rsplit_once(':').map_or(server.as_str(), |(host, _)| host);
        let kubeconfig = namespace
            .kubeconfig_with("relayed", |config| {
                config["contexts"][0]["name"] = context.into();
                config["contexts"][0]["context"]["namespace"] = namespace.name.as_str().into();
                config["current-context"] = context.into();
                config["clusters"][0]["cluster"]["server"] =
                    format!("https://{}", relay.address).into();
                // The certificate is the server's, not the relay's.
                config["clusters"][0]["cluster"]["tls-server-name"] = name.into();
            })
            .await?;
        Ok((relay, kubeconfig))
    }

    /// Breaks every connection off, and takes no new one.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries bytes as long as the way is whole.
async fn carry(mut client: TcpStream, server: SocketAddr, mut whole: watch::Receiver<bool>) {
    if !*whole.borrow_and_update() {
        return;
    }
    let carried = async {
        let mut server = TcpStream::connect(server).await?;
        copy_bidirectional(&mut client, &mut server).await
    };
    tokio::select! {
        // Either side may break off as it likes.
        _ = carried => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}
