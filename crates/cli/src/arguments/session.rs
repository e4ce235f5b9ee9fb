//! Options of `plan` and `connect`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use towline_core::request::{PortMapping, Program, Request, Target};

use super::{ClusterArguments, OutputArguments};

/// What session is meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct SessionArguments {
    /// What to stand in for: NAME (a service, else a workload), or service/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME,
    /// replicaset/NAME, pod/NAME
    pub(crate) target: Target,
    /// The target's namespace [default: the context's]
    #[arg(short, long, value_name = "NAME", help_heading = "Cluster")]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    /// Which container of the pod, where several could be meant
    #[arg(short, long, value_name = "NAME", help_heading = "Session")]
    pub(crate) container: Option<String>,
    /// Send a port of the container to another port here; by number or name, may be repeated [default: the same number]
    ///
    /// Every port that the container declares or a service sends to is redirected; this only says where it goes. Examples: 80:8080, http:8080.
    #[arg(short, long = "port", value_name = "REMOTE[:LOCAL]", help_heading = "Session")]
    pub(crate) ports: Vec<PortMapping>,
    /// Whose services can be reached from here [default: the target's namespace]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Session")]
    pub(crate) namespaces: Vec<String>,
    /// End a session that somebody else has on the workload
    #[arg(long, help_heading = "Session")]
    pub(crate) take_over: bool,
    /// How long the agent's pods may take to come
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration, help_heading = "Session")]
    pub(crate) timeout: Duration,
    /// How long the cluster waits for a vanished client before it puts the workload back by itself
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = lease, help_heading = "Session")]
    pub(crate) lease: Duration,
    /// The agent's image [default: the context's in settings.yaml, else this version's]
    #[arg(long, value_name = "REF", help_heading = "Agent")]
    pub(crate) agent_image: Option<String>,
    /// The secret (in the target's namespace) that the agent's image is pulled with
    #[arg(long, value_name = "NAME", help_heading = "Agent")]
    pub(crate) pull_secret: Option<String>,
}

impl SessionArguments {
    /// The same as the core's request.
    pub(crate) fn request(&self, program: Program, reconnect: bool) -> Request {
        Request {
            target: self.target.clone(),
            namespace: self.namespace.clone(),
            container: self.container.clone(),
            ports: self.ports.clone(),
            namespaces: self.namespaces.clone(),
            agent_image: self.agent_image.clone(),
            pull_secret: self.pull_secret.clone(),
            lease: self.lease,
            timeout: self.timeout,
            take_over: self.take_over,
            reconnect,
            program,
        }
    }
}

/// `towline plan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status 0: connecting is possible. Otherwise that of the first thing in the way.\n\nExample:\n  towline plan orders -n shop"
)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) session: SessionArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

const CONNECT_HELP: &str = "\
With a command: it is started once everything is ready, with the container's environment on top of this shell's. When it ends, the workload is put \
back, and towline ends with the command's status. Ctrl-C reaches the command; it has 10 seconds to end.

Without: towline says where the environment is (a file for `set -a; . FILE`) and waits for Ctrl-C.

If the cluster had to put the workload back because it could not reach towline for longer than the lease, the command goes on; \
SIGUSR1 (kill -USR1) connects again, --reconnect does so unasked.

With -o json standard output has one event a line, and what the command writes to its standard output goes to standard error.

Examples:
  towline connect orders -n shop -- python3 orders.py
  towline connect orders -n shop --port 80:8080 --env-file .env.towline
  towline connect statefulset/catalogue -n shop --container app -- ./catalogue --verbose
  towline connect deployment/orders --namespaces shop,billing --context staging -- npm run dev";

/// `towline connect`.
#[derive(Debug, Args)]
#[command(after_help = CONNECT_HELP)]
pub(crate) struct ConnectArguments {
    #[command(flatten)]
    pub(crate) session: SessionArguments,
    /// Connect again when the cluster has put the workload back during a loss longer than the lease
    #[arg(long, help_heading = "Session")]
    pub(crate) reconnect: bool,
    /// Write the environment there, as NAME=value lines; a file that Towline did not write is not overwritten
    #[arg(long, value_name = "FILE", help_heading = "Session")]
    pub(crate) env_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// What to run in the container's place
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// `90`, `90s`, `2m`, `1m30s`: at least a second, at most a day.
fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("'{text}' is not a time such as 90s, 2m or 1m30s");
    let parsed = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => {
            let parsed: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
            Duration::try_from(parsed).map_err(|_| expected())?
        }
    };
    if parsed < Duration::from_secs(1) || parsed > Duration::from_secs(86_400) {
        return Err(format!("'{text}' is out of range: from 1s to 24h"));
    }
    Ok(parsed)
}

/// A lease is renewed three times in its time; shorter than this, one slow answer of the API server would end the session.
const SHORTEST_LEASE: Duration = Duration::from_secs(5);

fn lease(text: &str) -> Result<Duration, String> {
    let parsed = duration(text)?;
    // The API keeps it in whole seconds.
    if parsed < SHORTEST_LEASE || parsed.subsec_nanos() != 0 {
        return Err(format!(
            "'{text}' is no lease: whole seconds, from {} s",
            SHORTEST_LEASE.as_secs()
        ));
    }
    Ok(parsed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, seconds) in
            [("90", 90), ("90s", 90), ("2m", 120), ("1m30s", 90), ("1m 30s", 90), ("24h", 86_400)]
        {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        assert_eq!(duration("1500ms").unwrap(), Duration::from_millis(1500));
        for bad in ["", "0", "-5s", "1", "soon", "25h", "0.5s"].iter().filter(|bad| **bad != "1") {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert!(lease("4s").is_err() && lease("5500ms").is_err());
        assert_eq!(lease("5s").unwrap(), SHORTEST_LEASE);
    }
}
