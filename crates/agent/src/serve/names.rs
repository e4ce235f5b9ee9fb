//! Looking names up as the pod's own programs do: /etc/hosts, then the servers of /etc/resolv.conf with its search list.
//!
//! Not by libc: a static binary has no name service switch.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::system_conf::read_system_conf;
use tokio::time::timeout;
use towline_wire::{Failure, FailureKind, Resolved};
use tracing::warn;

/// How long a look-up may take: with a search list and a server that is silent, every try would wait for its own.
const LIMIT: Duration = Duration::from_secs(10);

/// The pod's view of names.
#[derive(Debug)]
pub(crate) struct Names {
    resolver: Option<TokioResolver>,
    search: Vec<String>,
    limit: Duration,
}

impl Names {
    pub(crate) fn from_system() -> Self {
        let (config, options) = read_system_conf().unwrap_or_else(|error| {
            warn!("no DNS servers, names come from /etc/hosts only: {error}");
            Default::default()
        });
        Self::build(config, options)
    }

    fn build(config: ResolverConfig, mut options: ResolverOpts) -> Self {
        let search = config.search().iter().map(ToString::to_string).collect();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        // libc keeps nothing either, so a service that moved is found at once.
        options.cache_size = 0;
        let provider = TokioRuntimeProvider::default();
        let resolver =
            TokioResolver::builder_with_config(config, provider).with_options(options).build();
        if let Err(error) = &resolver {
            warn!("names cannot be looked up: {error}");
        }
        Self { resolver: resolver.ok(), search, limit: LIMIT }
    }

    /// The addresses of a name (or of an address), IPv4 first.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        if let Ok(address) = bare.parse() {
            return Ok(vec![address]);
        }
        let Some(resolver) = &self.resolver else {
            return Err(Failure {
                kind: FailureKind::Other,
                message: format!(
                    "looking up {name} failed: the pod has no usable /etc/resolv.conf"
                ),
            });
        };
        let Ok(found) = timeout(self.limit, resolver.lookup_ip(name)).await else {
            return Err(failure(name, &NetError::Timeout));
        };
        let found = found.map_err(|error| failure(name, &error))?;
        let mut addresses: Vec<IpAddr> = found.iter().collect();
        if addresses.is_empty() {
            return Err(not_found(name));
        }
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses.dedup();
        Ok(addresses)
    }

    /// The domains that are tried behind a name, in order.
    pub(crate) fn search_list(&self) -> Vec<String> {
        self.search.clone()
    }

    pub(crate) async fn resolve(&self, name: &str) -> Resolved {
        match self.addresses(name).await {
            Ok(addresses) => Resolved::Addresses(addresses),
            Err(failure) => Resolved::Failed(failure),
        }
    }
}

fn failure(name: &str, error: &NetError) -> Failure {
    if error.is_no_records_found() {
        return not_found(name);
    }
    let kind = match error {
        NetError::Timeout => FailureKind::TimedOut,
        _ => FailureKind::Other,
    };
    Failure { kind, message: format!("looking up {name} in the pod failed: {error}") }
}

fn not_found(name: &str) -> Failure {
    let message = format!("the pod's DNS does not know the name {name}");
    Failure { kind: FailureKind::NotFound, message }
}

#[cfg(test)]
mod tests;
