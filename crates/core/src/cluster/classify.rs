//! From the client's error to the cause that a person can do something about.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::error::{ClusterError, Obstacle};
use super::plugin::PluginError;

/// Whom an error is about.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) context: String,
    pub(super) server: String,
    pub(super) plugin: Option<String>,
}

/// What `error` means, that came up when `doing` something.
pub(super) fn classify(subject: &Subject, doing: String, error: kube::Error) -> ClusterError {
    let unauthorized = |doing: String, message: String| ClusterError::Unauthorized {
        doing,
        context: subject.context.clone(),
        plugin: subject.plugin.clone(),
        message,
    };
    if let kube::Error::Api(status) = error {
        return match status.code {
            401 => unauthorized(doing, status.message),
            // Without credentials one is this user, who may do nothing: what is missing is the login, not the right.
            403 if status.message.contains("\"system:anonymous\"") => {
                unauthorized(doing, status.message)
            }
            403 if status.reason == "Forbidden" && is_about_rights(&status.message) => {
                ClusterError::Forbidden { doing, message: status.message }
            }
            _ => ClusterError::Api { doing, status },
        };
    }
    if let Some(plugin) = chain(&error).find_map(|cause| cause.downcast_ref::<PluginError>()) {
        return plugin.to_cluster_error(&subject.context);
    }
    if let Some(alert) = chain(&error).find_map(client_certificate_refused) {
        return unauthorized(doing, format!("it refuses the client certificate: {alert:?}"));
    }
    let obstacle = chain(&error).find_map(obstacle);
    match obstacle {
        Some(cause) => ClusterError::Unreachable {
            doing,
            server: subject.server.clone(),
            cause,
            source: Box::new(error),
        },
        None => ClusterError::Client { doing, source: Box::new(error) },
    }
}

// 403 is also what quota and admission answer with; a missing right reads: User "x" cannot list resource "pods" in API group "" …
fn is_about_rights(message: &str) -> bool {
    message.contains(" cannot ") && message.contains(" resource ")
        || message.contains("attempting to grant RBAC")
}

/// `error` and its sources. An `io::Error` made of another error shows that one's source, not that one: it is put in here.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            return Some(inner as &(dyn Error + 'static));
        }
        error.source()
    })
}

fn client_certificate_refused(cause: &(dyn Error + 'static)) -> Option<AlertDescription> {
    let rustls::Error::AlertReceived(alert) = cause.downcast_ref()? else { return None };
    let refused = [
        AlertDescription::BadCertificate,
        AlertDescription::CertificateExpired,
        AlertDescription::CertificateRequired,
        AlertDescription::CertificateRevoked,
        AlertDescription::CertificateUnknown,
        AlertDescription::UnknownCA,
    ];
    refused.contains(alert).then_some(*alert)
}

fn obstacle(cause: &(dyn Error + 'static)) -> Option<Obstacle> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(match error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
                Obstacle::UnknownAuthority
            }
            rustls::Error::InvalidCertificate(error) => Obstacle::Certificate(error.to_string()),
            other => Obstacle::Tls(other.to_string()),
        });
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return io_obstacle(error);
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>()
        && (error.is_incomplete_message() || error.is_closed() || error.is_canceled())
    {
        return Some(Obstacle::Broken(error.to_string()));
    }
    if cause.is::<tower::timeout::error::Elapsed>() || cause.is::<tokio::time::error::Elapsed>() {
        return Some(Obstacle::TimedOut);
    }
    // getaddrinfo's failure is an io::Error of no particular kind; only hyper-util's wrapper, which is private, says what it was for.
    (cause.to_string() == "dns error").then_some(Obstacle::Name)
}

fn io_obstacle(error: &io::Error) -> Option<Obstacle> {
    Some(match error.kind() {
        io::ErrorKind::ConnectionRefused => Obstacle::Refused,
        io::ErrorKind::TimedOut => Obstacle::TimedOut,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Obstacle::Route,
        // What it wraps (a TLS error, mostly) comes next in the chain and says more.
        _ if error
            .get_ref()
            .is_some_and(|inner| inner.is::<io::Error>() || inner.is::<rustls::Error>()) =>
        {
            return None;
        }
        _ => Obstacle::Broken(error.to_string()),
    })
}
