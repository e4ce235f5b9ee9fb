//! Ends TLS on this machine and begins it anew towards the API server, which it verifies.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};
use tokio_util::task::AbortOnDropHandle;

use super::{NoKubernetes, client};
use crate::session::outbound::bind;

/// Each of the two handshakes of a connection.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// After a failed accept (no file descriptors, mostly).
const BREATHE: Duration = Duration::from_millis(50);

/// A day before and a year after now: clocks differ, and some clients refuse certificates that hold for years.
const DAYS: (i64, i64) = (1, 365);

/// A relay that runs; it ends when this is dropped.
pub(super) struct Relay {
    pub(super) local: SocketAddr,
    _accepts: Vec<AbortOnDropHandle<()>>,
}

struct Ends {
    /// Where connections to the API server are taken, to be carried through the tunnel.
    upstream: SocketAddr,
    /// What the API server's certificate must hold.
    name: ServerName<'static>,
    roots: Arc<RootCertStore>,
    shown: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Relay {
    /// Starts a relay and returns it with the certificate (PEM) of the authority that its clients are to trust. The private keys never leave
    /// this process's memory.
    pub(super) fn start(
        upstream: SocketAddr,
        name: &str,
        roots: Arc<RootCertStore>,
    ) -> Result<(Self, String), NoKubernetes> {
        let made = certificates().map_err(|error| NoKubernetes::Certificate(error.to_string()))?;
        let name = ServerName::try_from(name.to_owned())
            .map_err(|error| NoKubernetes::Certificate(error.to_string()))?;
        let ends = Arc::new(Ends { upstream, name, roots, shown: made.chain, key: made.key });
        let (listeners, local) = bind(0).map_err(NoKubernetes::Listen)?;
        let accepts = listeners
            .into_iter()
            .map(|listener| AbortOnDropHandle::new(tokio::spawn(accept(listener, ends.clone()))));
        Ok((Self { local, _accepts: accepts.collect() }, made.authority))
    }
}

struct Made {
    authority: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// An authority that can sign for this machine's own addresses, and what it has signed.
fn certificates() -> Result<Made, rcgen::Error> {
    let mut authority = dated(CertificateParams::new(Vec::new())?);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "Towline session");
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let mut leaf = dated(CertificateParams::new(vec!["localhost".to_owned()])?);
    leaf.subject_alt_names.push(SanType::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()));
    leaf.subject_alt_names.push(SanType::IpAddress(std::net::Ipv6Addr::LOCALHOST.into()));
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Clients that verify strictly (Python from 3.13 on) want to see who signed (RFC 5280, 4.2.1.1).
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &Issuer::new(authority, authority_key))?;
    Ok(Made {
        authority: authority_certificate.pem(),
        chain: vec![certificate.der().clone()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    })
}

fn dated(mut parameters: CertificateParams) -> CertificateParams {
    let day = |days: i64| {
        let date = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days))
            .to_zoned(jiff::tz::TimeZone::UTC);
        let part = |part: i8| u8::try_from(part).unwrap_or(1);
        date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
    };
    parameters.not_before = day(-DAYS.0);
    parameters.not_after = day(DAYS.1);
    parameters
}

async fn accept(listener: TcpListener, ends: Arc<Ends>) {
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::time::sleep(BREATHE).await;
            continue;
        };
        let _ = tcp.set_nodelay(true);
        let ends = ends.clone();
        tokio::spawn(async move {
            if let Err(error) = relay(tcp, &ends).await {
                tracing::debug!(%error, "a connection to the API server");
            }
        });
    }
}

/// Carries one connection. What the client offers to speak (ALPN) is offered upstream, and what the API server chooses is chosen here.
async fn relay(tcp: TcpStream, ends: &Ends) -> io::Result<()> {
    let hello = limited(LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tcp)).await?;
    let offered: Vec<Vec<u8>> =
        hello.client_hello().alpn().into_iter().flatten().map(<[u8]>::to_vec).collect();
    let up = TcpStream::connect(ends.upstream).await?;
    up.set_nodelay(true)?;
    let connector = TlsConnector::from(Arc::new(client(ends.roots.clone(), offered)));
    let mut up = limited(connector.connect(ends.name.clone(), up)).await?;
    let chosen = up.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    let config = server(ends, chosen).map_err(io::Error::other)?;
    let mut down = limited(hello.into_stream(Arc::new(config))).await?;
    copy_bidirectional(&mut down, &mut up).await.map(drop)
}

fn server(ends: &Ends, alpn: Option<Vec<u8>>) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config =
        builder.with_no_client_auth().with_single_cert(ends.shown.clone(), ends.key.clone_key())?;
    config.alpn_protocols = alpn.into_iter().collect();
    Ok(config)
}

async fn limited<T>(shake: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(HANDSHAKE, shake)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
