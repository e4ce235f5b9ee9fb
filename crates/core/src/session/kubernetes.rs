//! The API server for the local program, under an address of this machine and with TLS verified.
//!
//! A client takes its address from `KUBERNETES_SERVICE_HOST` and wants to see that in the certificate. Where the API server's certificate holds
//! 127.0.0.1 or localhost, its connections are carried as they are. Most do not: then a relay on this machine shows a certificate of its own,
//! signed by an authority that is made for the session, and verifies the API server's against the cluster's authority for every connection.
//! In hosts mode the name `kubernetes.default.svc`, which every API server's certificate holds, leads to a listener on its own port, and no relay
//! is needed.

mod relay;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use towline_wire::Protocol;
use towline_wire::header::Variable;

use self::relay::Relay;
use super::actor::Actor;
use super::outbound::{Opened, Place, Route};
use super::services::KUBERNETES;
use crate::environment::{KubernetesApi, as_bytes};
use crate::event::{Listener, What};
use crate::names::{NamePort, Subject};

/// The config map with the cluster's authority that Kubernetes puts into every namespace (from 1.20 on).
const ROOT_CA: &str = "kube-root-ca.crt";

/// The service's port. Every cluster makes it so.
const PORT: u16 = 443;

/// The TLS handshake with the API server, through the tunnel.
const HANDSHAKE: Duration = Duration::from_secs(5);

pub(super) struct Kubernetes {
    /// Carries connections to the API server as they are.
    plain: Opened,
    _relay: Option<Relay>,
    api: KubernetesApi,
}

/// Why the API server cannot be offered with TLS verified.
#[derive(Debug, thiserror::Error)]
enum NoKubernetes {
    #[error(
        "the cluster's authority is not known: neither the kubeconfig nor the config map {ROOT_CA} has it"
    )]
    NoAuthority,
    #[error("its certificate cannot be verified: {0}")]
    NotVerified(#[source] io::Error),
    #[error("there is no port for it on this machine: {0}")]
    Listen(#[source] io::Error),
    #[error("no certificate can be made for it: {0}")]
    Certificate(String),
}

impl Actor {
    /// Opens the API server on this machine, or points it to where it is now. Where that cannot be, the environment keeps the cluster's address,
    /// and the user is told.
    pub(super) async fn open_kubernetes(&mut self, agent: &[Variable]) -> Option<KubernetesApi> {
        let route = route(agent)?;
        if let Some(kubernetes) = &self.kubernetes {
            kubernetes.plain.point_to(route);
            return Some(kubernetes.api.clone());
        }
        let target = route.to_string();
        match self.make_kubernetes(route).await {
            Ok(kubernetes) => {
                let api = kubernetes.api.clone();
                let local = SocketAddr::new(api.address, api.port);
                let name = Some("https".to_owned());
                let shown = NamePort {
                    port: PORT,
                    protocol: Protocol::Tcp,
                    name: name.clone(),
                    local: kubernetes.shown(local),
                    target,
                    by_variables_only: None,
                };
                self.outbound.show(place(), shown).await;
                self.chronicle.listener_opened(Listener {
                    namespace: KUBERNETES.0.to_owned(),
                    service: KUBERNETES.1.to_owned(),
                    port: PORT,
                    protocol: Protocol::Tcp,
                    port_name: name,
                    local,
                });
                self.kubernetes = Some(kubernetes);
                Some(api)
            }
            Err(error) => {
                let message = format!(
                    "The API server cannot be reached by the local program under its variables: {error}"
                );
                self.chronicle.tell(What::Warning { message });
                None
            }
        }
    }

    async fn make_kubernetes(&self, route: Route) -> Result<Kubernetes, NoKubernetes> {
        let certificates = self.authority().await.ok_or(NoKubernetes::NoAuthority)?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let roots = Arc::new(roots);
        let address = match &route {
            Route::Address { ip, .. } => Some(*ip),
            Route::Name { .. } | Route::Endpoints { .. } => None,
        };
        let place = place();
        let hosts = self.plan.hosts.as_ref();
        let has_name =
            hosts.is_some_and(|plan| plan.hosts.iter().any(|host| host.subject == place.subject));
        let plain = match has_name {
            true => self.outbound.unlisted(&place, route).await,
            false => self.outbound.unlisted_anywhere(&place, route).await,
        };
        let plain = plain.map_err(NoKubernetes::Listen)?;
        let local = plain.local;
        let directory = self.directory.as_ref().ok_or(NoKubernetes::NoAuthority)?;
        let write = |pem: &str| {
            let written = directory.write("kubernetes-ca.crt", pem.as_bytes());
            written.map_err(|error| NoKubernetes::Certificate(error.to_string()))
        };
        // Every API server's certificate holds the first; the others are there in some, and the answer is the same.
        let hosts: &[&str] = match has_name {
            true => &["kubernetes.default.svc", "kubernetes.default"],
            false => &["127.0.0.1", "localhost"],
        };
        for host in hosts.iter().copied() {
            if verifies(local, host, &roots).await.is_ok() {
                let authority = Some(write(&pem(&certificates))?);
                let api = KubernetesApi {
                    host: host.to_owned(),
                    address: local.ip(),
                    port: local.port(),
                    authority,
                };
                return Ok(Kubernetes { plain, _relay: None, api });
            }
        }
        let candidates = ["kubernetes.default.svc".to_owned(), "kubernetes".to_owned()];
        let candidates = candidates.into_iter().chain(address.map(|ip| ip.to_string()));
        let mut last = None;
        for name in candidates {
            match verifies(local, &name, &roots).await {
                Ok(()) => {
                    let (relay, pem) = Relay::start(local, &name, roots)?;
                    let (host, address, port) =
                        ("127.0.0.1".to_owned(), relay.local.ip(), relay.local.port());
                    let api = KubernetesApi { host, address, port, authority: Some(write(&pem)?) };
                    return Ok(Kubernetes { plain, _relay: Some(relay), api });
                }
                Err(error) => last = Some(error),
            }
        }
        let error = last.unwrap_or_else(|| io::ErrorKind::Other.into());
        Err(NoKubernetes::NotVerified(error))
    }

    /// The authority that signs the API server's certificate as pods see it.
    async fn authority(&self) -> Option<Vec<CertificateDer<'static>>> {
        let maps: Api<ConfigMap> =
            Api::namespaced(self.cluster.client(), &self.plan.workload.namespace);
        let map = tokio::time::timeout(HANDSHAKE, maps.get_opt(ROOT_CA))
            .await
            .ok()
            .and_then(Result::ok)
            .flatten();
        let pem = map.and_then(|map| map.data?.remove("ca.crt"));
        let of_pods: Option<Vec<_>> = pem.and_then(|pem| {
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()
        });
        let of_kubeconfig = || {
            let authority = self.cluster.authority()?;
            Some(authority.iter().cloned().map(CertificateDer::from).collect())
        };
        of_pods.or_else(of_kubeconfig).filter(|certificates| !certificates.is_empty())
    }
}

impl Kubernetes {
    /// Where its names lead: they are in the certificate that the API server itself shows.
    fn shown(&self, by_variables: SocketAddr) -> SocketAddr {
        if self.plain.local.port() == PORT { self.plain.local } else { by_variables }
    }
}

fn place() -> Place {
    let subject = Subject::service(KUBERNETES.0, KUBERNETES.1);
    Place { subject, port: PORT, protocol: Protocol::Tcp }
}

/// Where the agent's own variables say that the API server is.
fn route(agent: &[Variable]) -> Option<Route> {
    let value = |name: &str| {
        let found = agent.iter().find(|variable| as_bytes(&variable.name) == name.as_bytes())?;
        std::str::from_utf8(as_bytes(&found.value)).ok()
    };
    let port = value("KUBERNETES_SERVICE_PORT")?.parse().ok()?;
    let host = value("KUBERNETES_SERVICE_HOST")?;
    Some(match host.parse::<IpAddr>() {
        Ok(ip) => Route::Address { ip, port },
        Err(_) => Route::Name { host: host.to_owned(), port },
    })
}

/// Whether the certificate that is shown at `local` is the cluster's for `name`.
async fn verifies(local: SocketAddr, name: &str, roots: &Arc<RootCertStore>) -> io::Result<()> {
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let shaken = async {
        let tcp = TcpStream::connect(local).await?;
        TlsConnector::from(Arc::new(client(roots.clone(), Vec::new())))
            .connect(name, tcp)
            .await
            .map(drop)
    };
    tokio::time::timeout(HANDSHAKE, shaken)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn client(roots: Arc<RootCertStore>, alpn: Vec<Vec<u8>>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for the default versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn;
    config
}

fn pem(certificates: &[CertificateDer<'_>]) -> String {
    use base64::Engine;
    let mut pem = String::new();
    for certificate in certificates {
        let text = base64::engine::general_purpose::STANDARD.encode(certificate);
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().map(|&byte| char::from(byte)));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

#[cfg(test)]
mod tests;
