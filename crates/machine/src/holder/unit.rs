//! The systemd unit of a process, as its control group says it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A systemd unit: a service, or a socket unit whose port a service manager holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unit {
    /// Its name, such as `nginx.service`.
    pub name: String,
    /// Which of the machine's service managers has it.
    pub scope: UnitScope,
}

/// Which service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitScope {
    /// The system's.
    System,
    /// That of the user with this number.
    User(u32),
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Unit {
    /// Whether it is a socket unit: the port is its service manager's, which starts a service when somebody connects (systemd.socket(5)).
    pub fn is_socket(&self) -> bool {
        self.name.ends_with(".socket")
    }

    /// The service that a process of these control groups belongs to, out of the text of `/proc/PID/cgroup` (cgroups(7)): of the unified hierarchy, or of
    /// systemd's own in version 1.
    ///
    /// Not a service in this sense are the user's own manager with what it runs in scopes, and what a desktop starts as `app-….service` (systemd's
    /// "Desktop Environment Integration"): an editor, whose terminal a program was started from, is not to be stopped for it.
    pub fn of_cgroup(text: &str) -> Option<Self> {
        // A container's or the kubelet's own tree below a service is not that service.
        let mut scope = UnitScope::System;
        let mut found = None;
        for part in parts(text) {
            if let Some(user) = user_of(part) {
                scope = UnitScope::User(user?);
                found = None;
            } else if part.ends_with(".service") {
                found = Some(part);
            } else if part.ends_with(".scope") {
                found = None;
            }
        }
        let name = found.filter(|name| is_name(name))?;
        let of_desktop = matches!(scope, UnitScope::User(_)) && name.starts_with("app-");
        (!of_desktop).then(|| Self { name: name.to_owned(), scope })
    }
}

impl UnitScope {
    /// Of a process that is itself a service manager: whose it is. It lives in `init.scope` (systemd.special(7)); the system's is process 1, in a container
    /// too, where the path has the container's before it.
    pub fn of_manager(pid: u32, text: &str) -> Option<Self> {
        let parts: Vec<&str> = parts(text).collect();
        match parts.as_slice() {
            [.., "init.scope"] if pid == 1 => Some(Self::System),
            [.., manager, "init.scope"] => user_of(manager)?.map(Self::User),
            _ => None,
        }
    }
}

/// The parts of the path of the control group that a service manager gave to the process.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let paths = text.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (hierarchy, controllers) = (fields.next()?, fields.next()?);
        let path = fields.next()?;
        let unified = hierarchy == "0" && controllers.is_empty();
        let systemd = controllers.split(',').any(|controller| controller == "name=systemd");
        (unified || systemd).then_some(path)
    });
    // Both are there in the hybrid layout, and then only systemd's own says something.
    let path = paths.max_by_key(|path| path.len()).unwrap_or_default();
    path.split('/').filter(|part| !part.is_empty())
}

/// Whose manager such a part is the service of; none inside: of nobody who has a number.
fn user_of(part: &str) -> Option<Option<u32>> {
    let user = part.strip_prefix("user@")?.strip_suffix(".service")?;
    Some(user.parse().ok())
}

/// What systemd.unit(5) allows in a name.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 255
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str, scope: UnitScope) -> Option<Unit> {
        Some(Unit { name: name.to_owned(), scope })
    }

    #[test]
    fn services_of_the_system_and_of_a_user() {
        use UnitScope::{System, User};
        // Debian 12 and Ubuntu 24.04; CentOS 7; a hybrid machine.
        let unified = "0::/system.slice/nginx.service\n";
        assert_eq!(Unit::of_cgroup(unified), unit("nginx.service", System));
        let version_1 = "11:memory:/system.slice/httpd.service\n4:cpu,cpuacct:/system.slice\n1:name=systemd:/system.slice/httpd.service\n";
        assert_eq!(Unit::of_cgroup(version_1), unit("httpd.service", System));
        let hybrid = "1:name=systemd:/system.slice/system-postgresql.slice/postgresql@15-main.service\n0::/\n";
        assert_eq!(Unit::of_cgroup(hybrid), unit("postgresql@15-main.service", System));
        let user = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service\n";
        assert_eq!(Unit::of_cgroup(user), unit("syncthing.service", User(1000)));
        let sub_group = "0::/system.slice/containerd.service/worker\n";
        assert_eq!(Unit::of_cgroup(sub_group), unit("containerd.service", System));
    }

    #[test]
    fn what_is_no_service() {
        for text in [
            "",
            "0::/\n",
            "0::/user.slice/user-1000.slice/session-3.scope\n",
            "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-code-4242.scope\n",
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-code@8f3a.service\n",
            "0::/user.slice/user-1000.slice/user@1000.service\n",
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12.slice/cri-containerd-34.scope\n",
            "0::/system.slice/docker.service/docker/ab.scope\n",
            "0::/system.slice/--now.service/-x.service\n",
            "0::/system.slice/a b.service\n",
            "7:cpuset:/system.slice/nginx.service\n",
            "nonsense",
        ] {
            assert_eq!(Unit::of_cgroup(text), None, "{text}");
        }
    }

    #[test]
    fn service_managers() {
        use UnitScope::{System, User};
        let of_user = "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n";
        for (pid, text, expected) in [
            (1, "0::/init.scope\n", Some(System)),
            (1, "1:name=systemd:/docker/0123/init.scope\n0::/\n", Some(System)),
            (1, "0::/\n", None),
            (7, "0::/init.scope\n", None),
            (7, of_user, Some(User(1000))),
            (7, "0::/user.slice/user-1000.slice/user@x.service/init.scope\n", None),
            (7, "0::/machine.slice/machine-other.scope/init.scope\n", None),
            (7, "0::/system.slice/nginx.service\n", None),
        ] {
            assert_eq!(UnitScope::of_manager(pid, text), expected, "{text}");
        }
    }
}
