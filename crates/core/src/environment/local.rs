//! Which variables stay this machine's. `docs/environment.md` repeats the two lists; a test compares.

/// Files, sockets and screens of a machine. The pod's would name what is not there, whoever set them.
pub(super) const ALWAYS: [&str; 22] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "OLDPWD",
    "PATH",
    "PWD",
    "SHELL",
    "SHLVL",
    "SSH_AGENT_PID",
    "SSH_AUTH_SOCK",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "TEMP",
    "TMP",
    "TMPDIR",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_*",
    "_",
];

/// The user, the language, the terminal, and where an image keeps its interpreters: this machine's, unless the pod's spec sets them, because then
/// somebody means the program.
pub(super) const UNLESS_SET: [&str; 23] = [
    "CARGO_HOME",
    "CLASSPATH",
    "COLORTERM",
    "GEM_HOME",
    "GEM_PATH",
    "GOPATH",
    "GOROOT",
    "JAVA_HOME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LOGNAME",
    "MAIL",
    "NODE_PATH",
    "NVM_DIR",
    "PYTHONHOME",
    "PYTHONPATH",
    "RUSTUP_HOME",
    "TERM",
    "USER",
    "USERNAME",
    "VIRTUAL_ENV",
    "container",
];

/// Whether `name` stays this machine's. `set` tells that the pod's spec sets it (not only the image or the runtime).
pub(super) fn stays_local(name: &str, set: bool) -> bool {
    let listed = |list: &[&str]| {
        list.iter().any(|entry| {
            entry.strip_suffix('*').map_or(*entry == name, |prefix| name.starts_with(prefix))
        })
    };
    listed(&ALWAYS) || (!set && listed(&UNLESS_SET))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn two_lists() {
        for name in ["PATH", "HOME", "XDG_RUNTIME_DIR", "_"] {
            assert!(stays_local(name, true) && stays_local(name, false), "{name}");
        }
        for name in ["LANG", "LC_ALL", "USER", "PYTHONPATH"] {
            assert!(!stays_local(name, true) && stays_local(name, false), "{name}");
        }
        for name in ["HOSTNAME", "PATHS", "TZ", "", "LC", "APP_HOME", "JAVA_TOOL_OPTIONS"] {
            assert!(!stays_local(name, false), "{name}");
        }
    }

    #[test]
    fn the_documentation_has_the_same_lists() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/environment.md");
        let text = std::fs::read_to_string(path).unwrap();
        let lists: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.starts_with("    "))
            .map(|line| line.split_whitespace().collect())
            .collect();
        let listed = |list: &[&str]| {
            list.iter().all(|name| lists.iter().flatten().any(|there| there == name))
        };
        assert!(listed(&ALWAYS), "docs/environment.md lacks a name that always stays local");
        assert!(
            listed(&UNLESS_SET),
            "docs/environment.md lacks a name that stays local unless set"
        );
    }
}
