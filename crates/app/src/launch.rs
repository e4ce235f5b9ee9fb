//! From a target to a session: plans, and the sessions that they become.

mod command_line;
mod kept;
pub(crate) mod project;
mod request;
mod review;

use std::sync::Arc;

use towline_core::cluster::Options;
use towline_core::plan::{AGENT_IMAGE_VARIABLE, Plan};
use towline_core::report::Code;
use towline_core::request::{Request, Target};
use towline_core::target;

use self::kept::{Kept, Plans};
pub(crate) use self::review::{inbound, volume};
use crate::clusters::Clusters;
use crate::machine::Machine;
use crate::preferences::Preferences;
use crate::profiles::{Profiles, title};
use crate::program::{Command, CommandError};
use crate::report::{explained, failure};
use crate::sessions::{Launch, Sessions};
use crate::view::{self, ContainerChoice, LaunchRequest, Report};

/// Makes plans and carries them out. Cheap to clone.
#[derive(Clone)]
pub struct Launcher {
    clusters: Arc<dyn Clusters>,
    preferences: Preferences,
    profiles: Profiles,
    sessions: Sessions,
    machine: Machine,
    plans: Arc<Plans>,
}

impl Launcher {
    /// A launcher whose sessions go to `sessions`.
    pub fn new(
        clusters: Arc<dyn Clusters>,
        preferences: Preferences,
        profiles: Profiles,
        sessions: Sessions,
        machine: Machine,
    ) -> Self {
        Self { clusters, preferences, profiles, sessions, machine, plans: Arc::default() }
    }

    /// Reads all that a session would change. Changes nothing.
    ///
    /// # Errors
    ///
    /// When the form makes no sense, or there is no plan for what it asks; what only forbids to connect is among the plan's checks.
    pub async fn plan(&self, form: LaunchRequest) -> Result<view::Plan, Report> {
        let project = project::of(&form)?;
        let lease = self.preferences.current().lease_seconds;
        let mut request = request::parse(&form, lease, project.as_ref())?;
        let command = Command::parse(&form.program)?;
        if request.agent_image.is_none() && std::env::var_os(AGENT_IMAGE_VARIABLE).is_none() {
            let settings = self.preferences.of_context(&form.context);
            request.agent_image = settings.and_then(|settings| settings.agent_image);
        }
        if request.pull_secret.is_none() {
            let settings = self.preferences.of_context(&form.context);
            request.pull_secret = settings.and_then(|settings| settings.pull_secret);
        }
        let cluster = self.clusters.cluster(&form.context).await?;
        let plan = Plan::make(&cluster, &request).await.map_err(|error| explained(&error))?;
        let Options { kubeconfig, files, .. } = cluster.options();
        let files = kubeconfig.map_or(files, |file| vec![file]);
        let default = self.preferences.current().mode;
        let (command_ref, project_ref) = (command.as_ref(), project.as_ref());
        let line = command_line::of(&form, &request, &files, command_ref, project_ref, default);
        let mut review = review::of(&plan, &form, line.clone());
        if let Some(rights) = &mut review.rights {
            rights.asks = self.machine.asks().await;
        }
        if let Some(project) = &project {
            let variables = project.environment.iter().map(|variable| variable.name.clone());
            review.variables = variables.collect();
            review.checks.extend(project::checks(project, &plan, &request));
        }
        review.checks.extend(without_names(&request));
        review.checks.splice(0..0, self.program_checks(command.as_ref()));
        review.checks.sort_by_key(|check| std::cmp::Reverse(check.tone));
        review.ready = !review.checks.iter().any(|check| check.tone == view::Tone::Bad);
        let launch = Launch {
            cluster,
            title: title(&form.target).to_owned(),
            command,
            command_line: line,
            form,
            plan,
            project,
            helper: None,
        };
        self.plans.keep(Kept::new(launch, &review));
        Ok(review)
    }

    /// What would keep the program from being started.
    fn program_checks(&self, command: Option<&Command>) -> Vec<view::Check> {
        let found = command.map(|command| command.find(self.sessions.search_path().as_deref()));
        let check = |error: CommandError| {
            let report = error.report();
            view::Check {
                title: "Local program".to_owned(),
                tone: view::Tone::Bad,
                message: report.message,
                fix: report.hint,
                code: Some(report.code),
                taken_names: None,
            }
        };
        found.and_then(Result::err).map(check).into_iter().collect()
    }

    /// The containers of a target, for the picker.
    ///
    /// # Errors
    ///
    /// When there is no such target.
    pub async fn containers(
        &self,
        context: &str,
        namespace: &str,
        target: &str,
    ) -> Result<Vec<ContainerChoice>, Report> {
        let target: Target = request::target(target)?;
        let cluster = self.clusters.cluster(context).await?;
        let found = target::containers(&cluster, &target, namespace)
            .await
            .map_err(|error| explained(&error))?;
        Ok(review::containers(&found.spec, found.preferred.as_deref()))
    }

    /// Does what the plan says, and remembers the request as a profile. Gives the session's id.
    ///
    /// # Errors
    ///
    /// When the plan is not kept any more, or says itself that connecting is not possible; `not_granted` when it needs administrator rights and gets none.
    /// Nothing has been changed then.
    pub async fn connect(&self, plan_id: &str) -> Result<String, Report> {
        let Some(mut kept) = self.plans.take(plan_id) else {
            let message =
                "This review is out of date: another one was made, or it is older than 15 minutes.";
            let hint = Some("Make the review again, and connect then.");
            return Err(failure(Code::Changed, message, hint));
        };
        if let Some(blocker) = kept.blocker.clone() {
            self.plans.keep(kept);
            return Err(blocker);
        }
        if kept.launch.plan.hosts.is_some() {
            match self.machine.helper().await {
                Ok(helper) => kept.launch.helper = Some(helper),
                // The plan is as good as before: the user may think better of it.
                Err(report) => {
                    self.plans.keep(kept);
                    return Err(report);
                }
            }
        }
        let remembered = self.profiles.used(&kept.launch.form);
        let id = self.sessions.begin(kept.launch);
        if let Err(report) = remembered {
            self.sessions.notice(&id, view::Tone::Warning, "Not remembered", &report.message);
        }
        Ok(id)
    }
}

/// Hosts outside the cluster are had by their names only.
fn without_names(request: &Request) -> Option<view::Check> {
    let hosts: Vec<String> =
        request.external_hosts.iter().map(|host| host.name.to_string()).collect();
    if hosts.is_empty() || request.names.has_addresses() {
        return None;
    }
    Some(view::Check {
        title: "External hosts".to_owned(),
        tone: view::Tone::Warning,
        message: format!(
            "Only a name can lead to a host outside the cluster, so without the hosts file the program reaches these from this machine, if at all: {}.",
            hosts.join(", ")
        ),
        fix: Some("Choose “By their names”.".to_owned()),
        code: None,
        taken_names: None,
    })
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::view::{Files, LaunchRequest, Mode, ProgramSpec};

    /// A request for `target` in namespace `shop` of the context `sandbox`.
    pub(crate) fn request(target: &str) -> LaunchRequest {
        LaunchRequest {
            context: "sandbox".into(),
            namespace: "shop".into(),
            target: target.into(),
            container: None,
            ports: Vec::new(),
            namespaces: Vec::new(),
            program: ProgramSpec::ByUser,
            mode: Mode::NoAdministrator,
            agent_image: None,
            pull_secret: None,
            lease_seconds: None,
            take_over: false,
            reconnect: false,
            exclude: Vec::new(),
            external_hosts: Vec::new(),
            project: None,
            files: Files::default(),
            without_taken_names: false,
        }
    }
}
