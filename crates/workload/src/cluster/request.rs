//! How a request to the API server failed.

/// A request failed: what was being done, and why it did not work.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed: {}", explain(.source))]
pub struct RequestError {
    doing: String,
    #[source]
    source: Box<kube::Error>,
}

impl RequestError {
    /// `doing` begins with a verb: "reading deployment/orders in namespace shop".
    pub fn new(doing: impl Into<String>, source: kube::Error) -> Self {
        Self { doing: doing.into(), source: Box::new(source) }
    }

    /// Whether trying again may help: the server could not be reached, or was too busy, or failed.
    pub fn is_transient(&self) -> bool {
        is_transient(&self.source)
    }

    /// Whether a right is missing.
    pub fn is_forbidden(&self) -> bool {
        code(&self.source) == Some(403)
    }

    /// The HTTP status code, where the server answered.
    pub fn code(&self) -> Option<u16> {
        code(&self.source)
    }

    /// The error of the client library.
    pub fn kube(&self) -> &kube::Error {
        &self.source
    }
}

/// What went wrong, in the server's own words where it answered, else by the innermost cause.
pub fn explain(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error {
        return if status.message.is_empty() {
            format!("the API server answered {} {}", status.code, status.reason)
        } else {
            status.message.clone()
        };
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

pub(crate) fn code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

pub(crate) fn is_transient(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 408 | 429 | 500..=599),
        kube::Error::HyperError(_)
        | kube::Error::Service(_)
        | kube::Error::ReadEvents(_)
        | kube::Error::HttpError(_) => true,
        _ => false,
    }
}
