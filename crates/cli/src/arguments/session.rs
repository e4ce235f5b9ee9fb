//! Options of `plan` and `connect`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use towline_core::request::{
    ExternalHost, Names, PortMapping, Program, Request, TakenNames, Target, Volumes,
};
use towline_core::settings::Settings;
use towline_project::{Project, ProjectError};

use super::{ClusterArguments, OutputArguments};
use crate::connect::FreePort;
use crate::failure::Failure;

/// What session is meant.
#[derive(Clone, Debug, Args)]
pub(crate) struct SessionArguments {
    /// What to stand in for: NAME (a service, else a workload), or service/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME,
    /// replicaset/NAME, pod/NAME [default: what the project file says]
    pub(crate) target: Option<Target>,
    /// The project file [default: without TARGET, the nearest towline.yaml in this directory and above it]
    ///
    /// The command line wins over what the file says. KubernetesLocalProcessConfig.yaml of Bridge to Kubernetes is understood too.
    #[arg(long, value_name = "FILE", help_heading = "Session")]
    pub(crate) project: Option<PathBuf>,
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
    /// Every port that the container declares or a service sends to is redirected; this only says where it goes. Examples: 80:8080, http:8080, 8125/udp:18125.
    #[arg(short, long = "port", value_name = "REMOTE[:LOCAL]", help_heading = "Session")]
    pub(crate) ports: Vec<PortMapping>,
    /// Whose services can be reached from here [default: the target's namespace]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Session")]
    pub(crate) namespaces: Vec<String>,
    /// Do without administrator's rights: the services are reached by the service variables only, on ports of 127.0.0.1
    ///
    /// With --mount they are reached by name, too, by the command: see there.
    ///
    /// The default can be set by `names: variables` in settings.yaml.
    #[arg(long, conflicts_with = "hosts", help_heading = "Names")]
    pub(crate) no_admin: bool,
    /// Reach the services by their cluster names, on their own ports, through the hosts file: the default, unless settings.yaml says `names: variables`
    #[arg(long, help_heading = "Names")]
    pub(crate) hosts: bool,
    /// Leave a service out: NAME, or NAME.NAMESPACE; may be repeated
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', help_heading = "Names")]
    pub(crate) exclude: Vec<String>,
    /// Do without the names that another session has for something else, which keeps them: services are then reached by their other names
    ///
    /// Without this such a name stands in the way, because a program that uses it would reach the other session's service.
    #[arg(long, help_heading = "Names")]
    pub(crate) without_taken_names: bool,
    /// Reach a host outside the cluster through it, by its own name: HOST:PORT or HOST:PORT,PORT; may be repeated
    ///
    /// Not with --no-admin alone: only a name can lead there.
    #[arg(long = "external-host", value_name = "HOST:PORT,…", help_heading = "Names")]
    pub(crate) external_hosts: Vec<ExternalHost>,
    /// Run the command with the volumes at their own paths, in a mount namespace of its own; needs no rights, but user namespaces
    ///
    /// With --no-admin, and where the rights are not granted that --hosts does not insist on, it has a hosts file of its own, too, and reaches the services by
    /// their cluster names, but for ports that need rights. Nothing is made or changed on this machine. A directory in which a path had to be added for that is read-only for the command.
    #[arg(long, help_heading = "Volumes")]
    pub(crate) mount: bool,
    /// What of the container's volumes comes to this machine [default: small]
    #[arg(long, value_name = "WHICH", help_heading = "Volumes")]
    pub(crate) volumes: Option<VolumesWanted>,
    /// End a session that somebody else has on the workload
    #[arg(long, help_heading = "Session")]
    pub(crate) take_over: bool,
    /// How long the agent's pods may take to come [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = towline_project::time, help_heading = "Session")]
    pub(crate) timeout: Option<Duration>,
    /// How long the cluster waits for a vanished client before it puts the workload back by itself [default: 120s]
    #[arg(long, value_name = "TIME", value_parser = towline_project::lease, help_heading = "Session")]
    pub(crate) lease: Option<Duration>,
    /// The agent's image [default: the context's in settings.yaml, else this version's]
    #[arg(long, value_name = "REF", help_heading = "Agent")]
    pub(crate) agent_image: Option<String>,
    /// The secret (in the target's namespace) that the agent's image is pulled with
    #[arg(long, value_name = "NAME", help_heading = "Agent")]
    pub(crate) pull_secret: Option<String>,
}

/// What of the volumes is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VolumesWanted {
    /// Config maps, secrets, projected volumes and the downward API, kept fresh; others with `towline files`
    Small,
    /// Nothing
    None,
}

impl SessionArguments {
    /// What is asked of the core: the command line's words over the project's over the defaults.
    pub(crate) fn request(
        &self,
        project: Option<&Project>,
        program: Program,
    ) -> Result<Request, Failure> {
        let of_project = || project.and_then(|project| project.target.clone());
        let target = self.target.clone().or_else(of_project).ok_or_else(|| {
            // Without a target there is a project, or the look for one has failed already.
            let file = project.map(|project| project.file.clone()).unwrap_or_default();
            Failure::from(ProjectError::NoTarget { file })
        })?;
        let mut request = Request::new(target.clone());
        request.program = program;
        request.names = default_names().unwrap_or_default();
        if let Some(project) = project {
            project.fill(&mut request);
        }
        request.target = target;
        request.take_over = self.take_over;
        if self.without_taken_names {
            request.taken_names = TakenNames::GoWithout;
        }
        self.over(&mut request);
        Ok(request)
    }

    fn over(&self, request: &mut Request) {
        fn one<T: Clone>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        fn list<T: Clone>(place: &mut Vec<T>, values: &[T]) {
            if !values.is_empty() {
                *place = values.to_vec();
            }
        }
        one(&mut request.namespace, self.namespace.clone().map(Some));
        one(&mut request.container, self.container.clone().map(Some));
        one(&mut request.agent_image, self.agent_image.clone().map(Some));
        one(&mut request.pull_secret, self.pull_secret.clone().map(Some));
        one(&mut request.lease, self.lease);
        one(&mut request.timeout, self.timeout);
        one(&mut request.names, self.names());
        if self.mount {
            request.names = request.names.in_own_namespace();
        }
        one(
            &mut request.volumes,
            self.volumes.map(|volumes| match volumes {
                VolumesWanted::Small => Volumes::Small,
                VolumesWanted::None => Volumes::None,
            }),
        );
        list(&mut request.namespaces, &self.namespaces);
        list(&mut request.exclude, &self.exclude);
        let mut hosts = Vec::new();
        self.external_hosts.iter().cloned().for_each(|host| host.add_to(&mut hosts));
        list(&mut request.external_hosts, &hosts);
        // A port of the command line takes the place of the project's for the same port of the container; the others stay.
        request.ports.retain(|known| self.ports.iter().all(|port| port.remote != known.remote));
        request.ports.extend(self.ports.iter().cloned());
    }
}

impl SessionArguments {
    /// What the options say of names.
    pub(crate) fn names(&self) -> Option<Names> {
        match (self.hosts, self.no_admin) {
            (true, _) => Some(Names::HostsFile),
            (false, true) => Some(Names::Variables),
            (false, false) => None,
        }
    }
}

/// What settings.yaml says of names. One that cannot be read stops the plan, which says so.
pub(crate) fn default_names() -> Option<Names> {
    Settings::load().ok()?.names
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

The program, and every other on this machine, reaches the services by their cluster names and on their own ports (http://catalogue, redis:6379) as long as \
the session lasts. That needs administrator's rights, for lines in /etc/hosts and ports below 1024: towline says what for, then the system asks. With \
--no-admin nothing is asked, and the services are on free ports of 127.0.0.1, as the service variables say. With --mount --no-admin the command has a \
hosts file of its own, and reaches them by name where their ports need no rights.

Without a command: towline says where the environment is (a file for `set -a; . FILE`) and waits for Ctrl-C.

If the cluster had to put the workload back because it could not reach towline for longer than the lease, the command goes on; \
SIGUSR1 (kill -USR1) connects again, --reconnect does so unasked.

With -o json standard output has one event a line, and what the command writes to its standard output goes to standard error.

Examples:
  towline connect orders -n shop -- python3 orders.py
  towline connect orders -n shop --no-admin --port 80:8080 --env-file .env.towline
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
    /// Stop what listens on a port of this machine that the session needs; may be repeated
    ///
    /// By SIGTERM, or by `systemctl stop` where it is a service. PORT:kill: by SIGKILL too, if it has not ended 10 seconds later. Without this option
    /// nothing is ever stopped.
    #[arg(long = "free-port", value_name = "PORT[:kill]", help_heading = "Session")]
    pub(crate) free_ports: Vec<FreePort>,
    /// Write the environment there, as NAME=value lines; a file that Towline did not write is not overwritten
    #[arg(long, value_name = "FILE", help_heading = "Session")]
    pub(crate) env_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
    /// What to run in the container's place [default: what the project file says]
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
    /// Where it runs; said by project files only.
    #[arg(skip)]
    pub(crate) working_directory: Option<PathBuf>,
}
