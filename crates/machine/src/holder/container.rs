//! The container of a process, as its control group says it. Only one that shares this machine's network holds a port here itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::unit::parts;

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Container {
    /// What runs it.
    pub engine: Engine,
    /// The first twelve digits of its number, as its engine shows it.
    pub id: String,
}

/// What runs containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// nerdctl.
    Nerdctl,
    /// A kubelet: the container is a pod's.
    Kubernetes,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {}", self.id)
    }
}

impl Container {
    /// Out of the text of `/proc/PID/cgroup`. The names are those that the engines give: `docker-ID.scope` or `docker/ID`, `libpod-ID.scope`,
    /// `nerdctl-ID.scope`, and whatever ends in a number below `kubepods`.
    pub fn of_cgroup(text: &str) -> Option<Self> {
        let mut engine = None;
        let mut found = None;
        for part in parts(text) {
            let part = part.strip_suffix(".scope").unwrap_or(part);
            engine = match part {
                "docker" => Some(Engine::Docker),
                _ if part.starts_with("kubepods") => Some(Engine::Kubernetes),
                _ => engine,
            };
            let (prefix, id) = part.rsplit_once('-').unwrap_or(("", part));
            if !is_id(id) {
                continue;
            }
            let engine = match prefix {
                "docker" => Some(Engine::Docker),
                "libpod" => Some(Engine::Podman),
                "nerdctl" => Some(Engine::Nerdctl),
                _ => engine,
            };
            found = engine.map(|engine| Self { engine, id: id[..12].to_owned() });
        }
        found
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_of_all_engines() {
        use Engine::{Docker, Kubernetes, Nerdctl, Podman};
        let id = "0123456789ab".repeat(5) + "cdef";
        for (path, engine) in [
            (format!("0::/system.slice/docker-{id}.scope\n"), Docker),
            (format!("1:name=systemd:/docker/{id}\n0::/\n"), Docker),
            (format!("0::/machine.slice/libpod-{id}.scope/container\n"), Podman),
            (
                format!(
                    "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{id}.scope\n"
                ),
                Podman,
            ),
            (format!("0::/system.slice/nerdctl-{id}.scope\n"), Nerdctl),
            (
                format!(
                    "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12.slice/cri-containerd-{id}.scope\n"
                ),
                Kubernetes,
            ),
            (format!("1:name=systemd:/kubepods/besteffort/pod12/{id}\n"), Kubernetes),
        ] {
            let expected = Container { engine, id: "0123456789ab".to_owned() };
            assert_eq!(Container::of_cgroup(&path), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_is_in_no_container() {
        let id = "0123456789ab".repeat(5) + "cdef";
        for text in [
            "0::/\n".to_owned(),
            "0::/system.slice/docker.service\n".to_owned(),
            "0::/system.slice/docker-ab.scope\n".to_owned(),
            format!("0::/system.slice/libpod-conmon-{id}.scope\n"),
            format!("7:cpuset:/docker/{id}\n"),
        ] {
            assert_eq!(Container::of_cgroup(&text), None, "{text}");
        }
    }
}
