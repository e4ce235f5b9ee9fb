//! The `towline connect` line that does the same as a form.

use std::path::PathBuf;

use towline_core::request::{Request, TakenNames, Volumes};
use towline_project::Project;

use super::request::names;
use crate::program::Command;
use crate::view::{LaunchRequest, Mode};

/// The line, quoted for a POSIX shell. `kubeconfigs` are the files that were chosen; none: the usual ones. What has its default is left out, but for the context and the namespace: a line is pasted elsewhere, later.
pub(super) fn of(
    form: &LaunchRequest,
    request: &Request,
    kubeconfigs: &[PathBuf],
    command: Option<&Command>,
    project: Option<&Project>,
    default: Mode,
) -> String {
    let mut words = vec!["towline".to_owned(), "connect".to_owned(), request.target.to_string()];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if let Some(project) = project {
        option("--project", project.file.to_string_lossy().into_owned());
    }
    option("--context", form.context.clone());
    if let Some(namespace) = &request.namespace {
        option("-n", namespace.clone());
    }
    if let [file] = kubeconfigs {
        option("--kubeconfig", file.to_string_lossy().into_owned());
    }
    if let Some(container) = &request.container {
        option("--container", container.clone());
    }
    for port in &request.ports {
        let local = port.local.map(|local| format!(":{local}")).unwrap_or_default();
        option("--port", format!("{}{local}", port.remote));
    }
    if !request.namespaces.is_empty() {
        option("--namespaces", request.namespaces.join(","));
    }
    // Those of the settings hold for the command line too.
    if let Some(image) = form.agent_image.as_ref().and(request.agent_image.as_ref()) {
        option("--agent-image", image.clone());
    }
    if let Some(secret) = form.pull_secret.as_ref().and(request.pull_secret.as_ref()) {
        option("--pull-secret", secret.clone());
    }
    // What the project file says holds unless the line says something else.
    let lease = project.and_then(|project| project.lease).unwrap_or(Request::LEASE);
    if request.lease != lease {
        option("--lease", format!("{}s", request.lease.as_secs()));
    }
    if !request.exclude.is_empty() {
        option("--exclude", request.exclude.join(","));
    }
    for host in &request.external_hosts {
        option("--external-host", host.to_string());
    }
    let volumes = project.and_then(|project| project.volumes).unwrap_or_default();
    if request.volumes != volumes {
        let which = if request.volumes == Volumes::None { "none" } else { "small" };
        option("--volumes", which.to_owned());
    }
    // A line is pasted elsewhere, where the settings may say something else; but the default of all is not named.
    let (no_admin, hosts) = match form.mode {
        Mode::NoAdministrator => (true, false),
        Mode::HostsFile => {
            let default = project.and_then(|project| project.names).unwrap_or(names(default));
            (false, default != names(Mode::HostsFile))
        }
    };
    for (flag, wanted) in [("--no-admin", no_admin), ("--hosts", hosts)] {
        if wanted {
            words.push(flag.to_owned());
        }
    }
    for (flag, wanted) in [
        ("--without-taken-names", request.taken_names == TakenNames::GoWithout),
        ("--take-over", request.take_over),
        ("--reconnect", request.reconnect),
    ] {
        if wanted {
            words.push(flag.to_owned());
        }
    }
    let mut before = String::new();
    if let Some(command) = command {
        words.push("--".to_owned());
        words.extend(command.words().iter().cloned());
        if let Some(directory) = command.directory() {
            before = format!("cd {} && ", shell_words::quote(&directory.to_string_lossy()));
        }
    }
    // Several files go by the variable; the option takes one.
    if let (Ok(files), true) = (std::env::join_paths(kubeconfigs), kubeconfigs.len() > 1) {
        before += &format!("KUBECONFIG={} ", shell_words::quote(&files.to_string_lossy()));
    }
    before + &shell_words::join(words)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::launch::request::parse;
    use crate::launch::testing::request as form;
    use crate::view::{ExternalHost, Files, PortMapping, ProgramSpec};

    fn line(form: &LaunchRequest) -> String {
        let command = Command::parse(&form.program).unwrap();
        let request = parse(form, 120, None).unwrap();
        of(form, &request, &[], command.as_ref(), None, Mode::NoAdministrator)
    }

    #[test]
    fn what_has_its_default_is_left_out() {
        let expected = "towline connect service/orders --context sandbox -n shop --no-admin";
        assert_eq!(line(&form("service/orders")), expected);
        let mut named = form("service/orders");
        named.mode = Mode::HostsFile;
        assert!(line(&named).ends_with(" -n shop --hosts"), "the settings say something else");
    }

    #[test]
    fn kubeconfigs_that_were_chosen_are_named() {
        let form = form("service/orders");
        let request = parse(&form, 120, None).unwrap();
        let line = |files: &[&str]| {
            let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            of(&form, &request, &files, None, None, Mode::NoAdministrator)
        };
        assert!(line(&["/a b"]).ends_with(" --kubeconfig '/a b' --no-admin"));
        assert!(line(&["/a", "/b c"]).starts_with("KUBECONFIG='/a:/b c' towline connect "));
    }

    #[test]
    fn what_a_project_file_says_is_said_only_where_it_differs() {
        let project = Project {
            file: "/src/towline.yaml".into(),
            names: Some(names(Mode::HostsFile)),
            lease: Some(std::time::Duration::from_secs(45)),
            volumes: Some(Volumes::None),
            ..Project::default()
        };
        let line = |form: &LaunchRequest| {
            let request = parse(form, 120, Some(&project)).unwrap();
            of(form, &request, &[], None, Some(&project), Mode::NoAdministrator)
        };
        let mut form = form("service/orders");
        let start =
            "towline connect service/orders --project /src/towline.yaml --context sandbox -n shop";
        (form.mode, form.lease_seconds, form.files) = (Mode::HostsFile, Some(45), Files::None);
        assert_eq!(line(&form), start);
        (form.lease_seconds, form.files) = (None, Files::Small);
        assert_eq!(line(&form), format!("{start} --lease 120s --volumes small"));
    }

    /// That the command line takes it, and does the same, is tested on the cluster (`tests/sandbox/whole.rs`).
    #[test]
    fn everything_else_is_there_and_quoted() {
        let mut form = form("deployment/orders");
        form.context = "it's mine".into();
        form.container = Some("main".into());
        form.ports = vec![PortMapping { remote: "http".into(), local: 9000 }];
        form.namespaces = vec!["shop".into(), "billing".into()];
        form.agent_image = Some("registry.example/agent:1".into());
        form.pull_secret = Some("registry".into());
        form.lease_seconds = Some(300);
        (form.take_over, form.reconnect, form.without_taken_names) = (true, true, true);
        form.exclude = vec!["redis".into(), "db.billing".into()];
        form.external_hosts =
            vec![ExternalHost { name: "db.example.com".into(), ports: vec![5432, 5433] }];
        form.files = Files::None;
        let program = "python3 'my app.py' --verbose".to_owned();
        form.program = ProgramSpec::Command { line: program, directory: Some("/a dir".into()) };
        let line = line(&form);
        let rest = line.strip_prefix("cd '/a dir' && ").unwrap();
        let words = shell_words::split(rest).unwrap();
        let expected = [
            "towline",
            "connect",
            "deployment/orders",
            "--context",
            "it's mine",
            "-n",
            "shop",
            "--container",
            "main",
            "--port",
            "http:9000",
            "--namespaces",
            "shop,billing",
            "--agent-image",
            "registry.example/agent:1",
            "--pull-secret",
            "registry",
            "--lease",
            "300s",
            "--exclude",
            "redis,db.billing",
            "--external-host",
            "db.example.com:5432,5433",
            "--volumes",
            "none",
            "--no-admin",
            "--without-taken-names",
            "--take-over",
            "--reconnect",
            "--",
            "python3",
            "my app.py",
            "--verbose",
        ];
        assert_eq!(words, expected);
    }
}
