//! The sandbox cluster's DNS: what CoreDNS is to a real cluster, for the one that `cargo xtask sandbox up` starts.
//!
//! It answers as the Kubernetes DNS specification 1.1.0 says (`docs/specification.md` of kubernetes/dns) from watches of services, endpoints and pods.
//! The sandbox has no other network, so every other name does not exist, and is said so at once: nothing is forwarded and nothing times out.

mod server;
mod watch;
mod zone;

use std::{net::SocketAddr, path::PathBuf, pin::pin};

use anyhow::{Context, bail};
use clap::Parser;
use futures::StreamExt;
use hickory_proto::rr::Name;
use kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};
use tokio::net::{TcpListener, UdpSocket};
use tracing::info;
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
#[command(about = "The sandbox cluster's DNS server")]
struct Arguments {
    /// The kubeconfig that says where the API server is
    #[arg(long, value_name = "FILE")]
    kubeconfig: PathBuf,
    /// Where to answer, by UDP and by TCP
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The cluster's domain
    #[arg(long, default_value = "cluster.local")]
    domain: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,hickory_server=warn".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    run(Arguments::parse()).await
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { kubeconfig, listen, domain } = arguments;
    let domain =
        Name::from_ascii(&domain).with_context(|| format!("`{domain}` is not a domain name"))?;
    let udp =
        UdpSocket::bind(listen).await.with_context(|| format!("cannot listen on {listen}/udp"))?;
    let tcp = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}/tcp"))?;
    let client = connect(&kubeconfig)
        .await
        .with_context(|| format!("cannot use the kubeconfig {}", kubeconfig.display()))?;

    let mut zones = pin!(watch::zones(client, domain));
    // Queries that come before this wait in the sockets' queues: an answer from an empty zone would be a wrong one.
    let Some(first) = zones.next().await else { bail!("the watches of the API server ended") };
    let (sender, zone) = tokio::sync::watch::channel(first);
    let mut server = server::start(udp, tcp, zone);
    info!(%listen, "answering");
    let follow = async {
        while let Some(zone) = zones.next().await {
            sender.send_replace(zone);
        }
    };
    tokio::select! {
        () = follow => bail!("the watches of the API server ended"),
        ended = server.block_until_done() => ended.context("the DNS server ended"),
    }
}

async fn connect(kubeconfig: &PathBuf) -> anyhow::Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}
