#![allow(clippy::unwrap_used)]

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// An API server with a certificate for `name`, that speaks `h2` or `http/1.1` and returns what it gets. The certificate signs itself.
async fn server(name: &str) -> (SocketAddr, Arc<RootCertStore>) {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                let mut bytes = [0; 64];
                while let Ok(read @ 1..) = tls.read(&mut bytes).await {
                    tls.write_all(&bytes[..read]).await.unwrap();
                }
            });
        }
    });
    (address, Arc::new(roots))
}

fn trusting(pem: &str) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(roots.add_parsable_certificates(certificates), (1, 0));
    Arc::new(roots)
}

#[tokio::test]
async fn a_certificate_verifies_for_what_it_holds() {
    let (local, roots) = server("kubernetes.default.svc").await;
    assert!(verifies(local, "kubernetes.default.svc", &roots).await.is_ok());
    assert!(verifies(local, "127.0.0.1", &roots).await.is_err());
    assert!(
        verifies(local, "kubernetes.default.svc", &Arc::new(RootCertStore::empty())).await.is_err()
    );
}

#[tokio::test]
async fn the_relay_is_trusted_by_its_own_authority_and_speaks_what_both_speak() {
    let (upstream, roots) = server("kubernetes.default.svc").await;
    let (relay, pem) = Relay::start(upstream, "kubernetes.default.svc", roots.clone()).unwrap();
    for (offered, chosen) in
        [(vec![], None), (vec!["http/1.1"], Some("http/1.1")), (vec!["http/1.1", "h2"], Some("h2"))]
    {
        let alpn = offered.into_iter().map(|name| name.as_bytes().to_vec()).collect();
        let connector = TlsConnector::from(Arc::new(client(trusting(&pem), alpn)));
        let tcp = TcpStream::connect(relay.local).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut tls = connector.connect(name, tcp).await.unwrap();
        assert_eq!(tls.get_ref().1.alpn_protocol(), chosen.map(str::as_bytes));
        tls.write_all(b"GET").await.unwrap();
        let mut bytes = [0; 3];
        tls.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"GET");
    }
    assert!(
        verifies(relay.local, "127.0.0.1", &roots).await.is_err(),
        "the cluster's authority did not sign this"
    );
}

#[tokio::test]
async fn the_relay_refuses_an_api_server_that_is_somebody_else() {
    let (upstream, _) = server("kubernetes.default.svc").await;
    let (_, others) = server("kubernetes.default.svc").await;
    let (relay, pem) = Relay::start(upstream, "kubernetes.default.svc", others).unwrap();
    assert!(verifies(relay.local, "127.0.0.1", &trusting(&pem)).await.is_err());
}

#[test]
fn a_written_authority_reads_back() {
    let certificates = vec![CertificateDer::from(vec![7; 200]), CertificateDer::from(vec![8; 10])];
    let read: Vec<_> =
        CertificateDer::pem_slice_iter(pem(&certificates).as_bytes()).map(Result::unwrap).collect();
    assert_eq!(read, certificates);
}

#[test]
fn the_agents_variables_say_where() {
    let variable = |name: &str, value: &str| Variable {
        name: name.as_bytes().to_vec().into(),
        value: value.as_bytes().to_vec().into(),
    };
    let both = [
        variable("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        variable("KUBERNETES_SERVICE_PORT", "443"),
    ];
    assert_eq!(route(&both), Some(Route::Address { ip: "10.96.0.1".parse().unwrap(), port: 443 }));
    assert_eq!(route(&both[..1]), None);
}
