//! What can be done about a holder.

use serde::{Deserialize, Serialize};
use towline_machine::holder::{self, Container, Engine, Holder, Protected, Unit, UnitScope};

/// What ends a holder's hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Way {
    /// SIGTERM to the process, and SIGKILL if it does not end and the user says so again.
    Signal,
    /// Its systemd service is stopped, or the socket unit that a service manager listens for.
    Unit {
        /// Which.
        unit: Unit,
    },
    /// This user does not see the process: the helper may, and stops it.
    Helper,
    /// It is not stopped for a port.
    Never {
        /// Why, as a clause.
        why: String,
        /// What to do instead.
        instead: String,
    },
}

/// How a holder can be stopped.
pub fn way(holder: &Holder) -> Way {
    let Some(pid) = holder.pid else { return Way::Helper };
    if let Some(unit) = holder.unit.as_ref().filter(|unit| unit.is_socket()) {
        return Way::Unit { unit: unit.clone() };
    }
    let program =
        holder.command.first().map_or("", |program| program.rsplit('/').next().unwrap_or(program));
    if let Some(why) = holder::protected(pid) {
        return protected(why, program);
    }
    if let Some(container) = &holder.container {
        return never(&format!("it runs in {container}"), stop_container(container));
    }
    if let Some((_, shows)) = CONTAINER_PROXIES.iter().find(|(names, _)| names.contains(&program)) {
        let shows = shows.replace("PORT", &holder.port.to_string());
        return never(
            "it holds the port for a container",
            format!("Stop the container: `{shows}` shows it."),
        );
    }
    if CONTAINER_RUNTIMES.contains(&program) {
        return never(
            "it runs containers, which would lose it",
            "Map the port to another, or stop it yourself when no container needs it.".to_owned(),
        );
    }
    match &holder.unit {
        Some(unit) => Way::Unit { unit: unit.clone() },
        None => Way::Signal,
    }
}

/// Whether only the helper can stop it: this user does not see the process, or the unit is not of this user's own service manager.
pub fn needs_helper(holder: &Holder) -> bool {
    match way(holder) {
        Way::Helper => true,
        Way::Unit { unit } => !may_stop(unit.scope),
        // Whoever does not own the process does not see it.
        Way::Signal | Way::Never { .. } => false,
    }
}

#[cfg(unix)]
fn may_stop(scope: UnitScope) -> bool {
    let own = nix::unistd::geteuid();
    own.is_root() || scope == UnitScope::User(own.as_raw())
}

#[cfg(not(unix))]
fn may_stop(_: UnitScope) -> bool {
    false
}

/// Programs that hold a port for a container, and what shows which. To stop one of them would leave the container without its port, and running.
const CONTAINER_PROXIES: [(&[&str], &str); 3] = [
    (&["docker-proxy", "dockerd", "com.docker.backend"], "docker ps --filter publish=PORT"),
    (&["rootlessport", "conmon", "pasta", "pasta.avx2", "gvproxy"], "podman ps"),
    // Of rootless Docker and of Podman alike.
    (&["rootlesskit", "slirp4netns"], "docker ps` or `podman ps"),
];

/// Programs that run containers and hold ports of their own.
const CONTAINER_RUNTIMES: [&str; 5] = ["containerd", "crio", "kubelet", "k3s", "k3s-server"];

fn stop_container(container: &Container) -> String {
    let id = &container.id;
    match container.engine {
        Engine::Docker => format!("Stop the container: `docker stop {id}`."),
        Engine::Podman => format!("Stop the container: `podman stop {id}`."),
        Engine::Nerdctl => format!("Stop the container: `nerdctl stop {id}`."),
        Engine::Kubernetes => {
            format!("Delete its pod, or take it off this node: `crictl ps --id {id}` shows it.")
        }
    }
}

fn protected(why: Protected, program: &str) -> Way {
    let sockets = |user: &str| {
        format!(
            "Stop the socket unit: `systemctl{user} list-sockets` shows it, `systemctl{user} stop NAME.socket` stops it."
        )
    };
    match why {
        Protected::Init if ["systemd", "init"].contains(&program) => never(
            "it is process 1, which holds the port for a service that starts when somebody connects",
            sockets(""),
        ),
        Protected::Init => never(
            "it is process 1, with which everything here would end",
            "Map the port to another, or start that program on another port.".to_owned(),
        ),
        Protected::Manager => never(
            "it is a user's service manager, which holds the port for a service that starts when somebody connects",
            sockets(" --user"),
        ),
        Protected::Itself => never(
            "it is this very program",
            "End the session that has the port, or map the port to another.".to_owned(),
        ),
        Protected::Ancestor => never(
            "this program was started from it",
            "Map the port to another, or start Towline from elsewhere.".to_owned(),
        ),
    }
}

fn never(why: &str, instead: String) -> Way {
    Way::Never { why: why.to_owned(), instead }
}
