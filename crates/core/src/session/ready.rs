//! The names and addresses of this machine, made ready before anything is done in the cluster: whoever does not get the rights for them has changed
//! nothing.

use tokio_util::task::AbortOnDropHandle;
use towline_helper::client::{Helper, HelperError};
use towline_helper::protocol::RefusalCode;

use super::actor::{Actor, Leaving};
use super::board::Board;
use super::error::SessionError;
use super::register::NamesError;
use super::services;
use crate::event::{Step, What};
use crate::names::DOMAIN;
use crate::report::{Code, Explain, Report};

impl Actor {
    /// Opens the listeners and writes the hosts file in hosts mode. After a lapse the listeners stand, and the lines come when they lead somewhere again.
    pub(super) async fn open_names(&mut self) -> Result<(), Leaving> {
        if let Some(directory) = &self.directory {
            self.register.set_directory(directory.path().to_owned()).await;
        }
        if let Some(hosts) = self.outbound.ground.hosts()
            && match hosts.has_own_file() {
                true => self.keeps_names.is_none(),
                false => hosts.helper().is_none(),
            }
        {
            self.chronicle.tell(What::Step { step: Step::Names });
            if !hosts.has_own_file() {
                let helper = match self.helper.take() {
                    Some(helper) => helper,
                    None => tokio::select! {
                        () = Self::stopped(&mut self.commands) => return Err(Leaving::Stopped),
                        helper = Helper::connect_or_start() => {
                            helper.map_err(|error| SessionError::Names(error.into()))?
                        }
                    },
                };
                hosts.set_helper(Some(helper));
            }
            services::open_planned(&self.plan, &self.outbound).await;
            self.outbound.planned_are_open();
            self.register.write().await.map_err(SessionError::Names)?;
        }
        if self.keeps_names.is_none() {
            let keep = self.register.clone().keep();
            self.keeps_names = Some(AbortOnDropHandle::new(tokio::spawn(keep)));
        }
        Ok(())
    }
}

/// The cluster's domain, as the search list of the agent's pod has it: `NAMESPACE.svc.DOMAIN` is its first entry wherever the pod asks the cluster's DNS.
/// An agent that does not know the question, and a pod that asks another DNS, leave it at the usual one.
pub(super) async fn domain(board: &Board, namespace: &str) -> String {
    let asked = async { board.wait().await?.search_list().await.ok() };
    let list = asked.await.unwrap_or_default();
    of_search_list(&list, namespace).unwrap_or_else(|| DOMAIN.to_owned())
}

fn of_search_list(list: &[String], namespace: &str) -> Option<String> {
    let before = format!("{namespace}.svc.");
    let found = list.iter().find_map(|entry| entry.trim_end_matches('.').strip_prefix(&before));
    found.filter(|domain| domain.parse::<towline_machine::HostName>().is_ok()).map(str::to_owned)
}

impl Explain for NamesError {
    fn explain(&self) -> Report {
        match self {
            Self::Helper(error) => error.explain(),
            Self::Taken { .. } => Report {
                code: Code::NameTaken,
                message: format!(
                    "The names of the cluster cannot be had here: {self}. Nothing was changed."
                ),
                hint: Some("Connect again: the plan says what can be done about it.".to_owned()),
                detail: None,
            },
            Self::Own(error) => Report {
                code: Code::HostsFile,
                message: format!("The program cannot have a hosts file of its own: {error}."),
                hint: Some("Mend that, or do without --mount.".to_owned()),
                detail: None,
            },
        }
    }
}

impl Explain for HelperError {
    fn explain(&self) -> Report {
        explain(self)
    }
}

fn explain(error: &HelperError) -> Report {
    let code = match error {
        HelperError::NotGranted { .. } | HelperError::NoPrompt { .. } => Code::NotGranted,
        HelperError::Refused(refusal) if refusal.code == RefusalCode::HostsFile => Code::HostsFile,
        _ => Code::Helper,
    };
    let message = match error {
        HelperError::NotGranted { .. } | HelperError::NoPrompt { .. } => {
            format!(
                "The names of the cluster need administrator's rights: {error}. Nothing was changed."
            )
        }
        HelperError::Refused(refusal) => {
            format!("The names of the cluster cannot be had here: {refusal}.")
        }
        error => format!("The names of the cluster cannot be had here: {error}."),
    };
    Report {
        code,
        message,
        hint: error.hint().map(str::to_owned),
        detail: error.detail().map(str::to_owned),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_in_the_search_list() {
        let list =
            |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>();
        let usual = list(&[
            "shop.svc.example.internal",
            "svc.example.internal",
            "example.internal",
            "corp",
        ]);
        assert_eq!(of_search_list(&usual, "shop").as_deref(), Some("example.internal"));
        assert_eq!(
            of_search_list(&list(&["shop.svc.cluster.local."]), "shop").as_deref(),
            Some("cluster.local")
        );
        assert_eq!(of_search_list(&list(&["corp.example.com"]), "shop"), None);
        assert_eq!(of_search_list(&list(&["shop.svc.a b\n"]), "shop"), None);
        assert_eq!(of_search_list(&[], "shop"), None);
    }

    #[test]
    fn a_refused_question_is_no_fault() {
        let report = explain(&HelperError::NotGranted { detail: "Not authorized".into() });
        assert_eq!(report.code, Code::NotGranted);
        assert!(report.hint.unwrap().contains("--no-admin"));
        assert!(report.message.contains("Nothing was changed"));
    }
}
