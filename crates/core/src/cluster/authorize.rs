//! The `Authorization` header from an exec plugin's token, renewed before it expires and after the API server has refused it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use kube::client::Body;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tower::{BoxError, Service};

use super::plugin::{Credentials, Plugin, PluginError};

/// How long before its end a token is no longer used: requests take time, and clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// A plugin that a refused token makes run again is not asked again sooner than this, lest each request run it.
const PAUSE: Duration = Duration::from_secs(10);

/// The token, shared by all requests of a client.
#[derive(Clone)]
pub(super) struct PluginToken {
    plugin: Plugin,
    state: Arc<Mutex<State>>,
}

struct State {
    token: SecretString,
    expires: Option<Timestamp>,
    refused: bool,
    obtained: Timestamp,
}

impl PluginToken {
    /// Of what the plugin gave first; `None` where it gave a certificate only.
    pub(super) fn new(plugin: Plugin, credentials: &Credentials) -> Option<Self> {
        let state = State {
            token: credentials.token.clone()?,
            expires: credentials.expires,
            refused: false,
            obtained: Timestamp::now(),
        };
        Some(Self { plugin, state: Arc::new(Mutex::new(state)) })
    }

    async fn header(&self) -> Result<HeaderValue, BoxError> {
        // Held while the plugin runs, so that requests at the same time wait for the one run.
        let mut state = self.state.lock().await;
        let now = Timestamp::now();
        let old = state.expires.is_some_and(|expires| now + MARGIN >= expires);
        if old || (state.refused && now >= state.obtained + PAUSE) {
            self.renew(&mut state).await?;
        }
        let mut value = HeaderValue::try_from(format!("Bearer {}", state.token.expose_secret()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn renew(&self, state: &mut State) -> Result<(), PluginError> {
        let credentials = self.plugin.run().await?;
        if let Some(token) = credentials.token {
            state.token = token;
        }
        state.expires = credentials.expires;
        state.refused = false;
        state.obtained = Timestamp::now();
        Ok(())
    }
}

/// A service that adds the header.
#[derive(Clone)]
pub(super) struct Authorized<S> {
    inner: S,
    token: PluginToken,
}

impl<S> Authorized<S> {
    pub(super) fn new(inner: S, token: PluginToken) -> Self {
        Self { inner, token }
    }
}

impl<S, B> Service<Request<Body>> for Authorized<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: Send,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        let token = self.token.clone();
        Box::pin(async move {
            request.headers_mut().insert(AUTHORIZATION, token.header().await?);
            let response = ready.call(request).await?;
            if response.status() == StatusCode::UNAUTHORIZED {
                token.state.lock().await.refused = true;
            }
            Ok(response)
        })
    }
}
