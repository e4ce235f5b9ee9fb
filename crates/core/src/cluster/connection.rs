//! The HTTP client below: kube's own layers on a connector that sets TCP_NODELAY.

use std::time::Duration;

use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use kube::client::retry::RetryPolicy;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tower::retry::RetryLayer;
use tower::timeout::Timeout;
use tower::util::BoxCloneService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::authorize::{Authorized, PluginToken};

/// How long a connection, TLS included, may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long sent bytes may stay unacknowledged before the connection counts as dead (tcp(7), TCP_USER_TIMEOUT), and how long an idle one
/// stays unprobed. Watches are idle for minutes, so there is no limit on reading; this is what ends one whose network is gone.
const SILENCE: Duration = Duration::from_secs(20);

/// How long the head of an answer may take. The API server ends a request after 60 s by itself; a watch and a port-forward are answered at
/// once and then last, which is not limited.
const ANSWER: Duration = Duration::from_secs(65);

type HttpService = BoxCloneService<Request<Body>, Response<Incoming>, BoxError>;

/// A client of the cluster that `config` describes.
///
/// kube's own builder (`ClientBuilder::try_from`) leaves Nagle's algorithm on, which against delayed acknowledgements costs 40 ms on each
/// new stream of a tunnel: hence these layers by hand, in its order.
pub(super) fn client(config: Config, token: Option<PluginToken>) -> Result<Client, kube::Error> {
    limited(config, token, ANSWER)
}

fn limited(
    mut config: Config,
    token: Option<PluginToken>,
    answer: Duration,
) -> Result<Client, kube::Error> {
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = None;
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_keepalive(Some(SILENCE));
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    http.set_tcp_user_timeout(Some(SILENCE));

    let Some(proxy) = proxy(&config) else { return assemble(&config, http, token, answer) };
    match proxy.scheme_str() {
        Some("socks5" | "socks5h") => assemble(&config, SocksV5::new(proxy, http), token, answer),
        Some("http") => {
            let tunnel = authenticated(Tunnel::new(proxy.clone(), http), &proxy);
            assemble(&config, tunnel, token, answer)
        }
        Some("https") => {
            let tls = config.rustls_https_connector_with_connector(http)?;
            assemble(&config, authenticated(Tunnel::new(proxy.clone(), tls), &proxy), token, answer)
        }
        _ => Err(kube::Error::ProxyProtocolUnsupported { proxy_url: Box::new(proxy) }),
    }
}

/// The proxy of the kubeconfig or of the environment, unless `NO_PROXY` exempts the API server.
fn proxy(config: &Config) -> Option<Uri> {
    let proxy = config.proxy_url.clone()?;
    let from_environment = ["HTTPS_PROXY", "https_proxy"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .is_some_and(|value| value.parse::<Uri>().is_ok_and(|uri| uri == proxy));
    if !from_environment {
        return Some(proxy);
    }
    // kube compares NO_PROXY with the proxy's own address.
    let exempt = ["NO_PROXY", "no_proxy"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default();
    let matcher = Matcher::builder().all(proxy.to_string()).no(exempt).build();
    matcher.intercept(&config.cluster_url).map(|_| proxy)
}

fn authenticated<C>(tunnel: Tunnel<C>, proxy: &Uri) -> Tunnel<C> {
    // The matcher reads (and percent-decodes) the credentials of a proxy's address.
    let matcher = Matcher::builder().all(proxy.to_string()).build();
    let any = Uri::from_static("https://kubernetes.default.svc");
    let credentials: Option<HeaderValue> =
        matcher.intercept(&any).and_then(|intercept| intercept.basic_auth().cloned());
    match credentials {
        Some(credentials) => tunnel.with_auth(credentials),
        None => tunnel,
    }
}

fn assemble<H>(
    config: &Config,
    connector: H,
    token: Option<PluginToken>,
    answer: Duration,
) -> Result<Client, kube::Error>
where
    H: Service<Uri> + Clone + Send + Sync + 'static,
    H::Response: Connection + Read + Write + Send + Unpin + 'static,
    H::Future: Send + 'static,
    H::Error: std::error::Error + Send + Sync + 'static,
{
    let mut connector =
        TimeoutConnector::new(config.rustls_https_connector_with_connector(connector)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_write_timeout(config.write_timeout);
    let http =
        hyper_util::client::legacy::Builder::new(TokioExecutor::new()).build::<_, Body>(connector);

    let inner: HttpService =
        BoxCloneService::new(Timeout::new(http.map_err(BoxError::from), answer));
    let inner = match token {
        Some(token) => BoxCloneService::new(Authorized::new(inner, token)),
        None => inner,
    };
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(RetryLayer::new(RetryPolicy::server_retry()))
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(inner);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::cluster::classify::{Subject, classify};
    use crate::cluster::{ClusterError, Obstacle};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_server_that_takes_connections_and_never_answers_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let config = Config::new(server.parse().unwrap());
        let client = limited(config, None, Duration::from_millis(100)).unwrap();
        let error = client.apiserver_version().await.unwrap_err();
        let subject = Subject { context: "here".into(), server, plugin: None };
        let error = classify(&subject, "ask".into(), error);
        assert!(
            matches!(error, ClusterError::Unreachable { cause: Obstacle::TimedOut, .. }),
            "{error:?}"
        );
    }
}
