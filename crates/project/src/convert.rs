//! What is written in `towline.yaml` into a [`Project`], each value understood.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_saphyr::Spanned;
use towline_core::request::{ExternalHost, Names, Volumes};
use towline_machine::HostName;

use crate::error::{Place, ProjectError};
use crate::raw::{self, File, HostEntry, HostKeys, Text, Words};
use crate::token::Template;
use crate::yaml::wrong;
use crate::{Form, Program, Project, Variable, time};

pub(crate) fn project(file: &Path, raw: File) -> Result<Project, ProjectError> {
    let at = Reader { file };
    let mut external_hosts = Vec::new();
    for entry in &raw.external_hosts {
        let host = at.understood(entry, external_host(&entry.value))?;
        if external_hosts.iter().any(|known: &ExternalHost| known.name == host.name) {
            return Err(
                at.wrong(entry, format!("{} is there twice; list its ports together", host.name))
            );
        }
        external_hosts.push(host);
    }
    let names: Vec<HostName> = external_hosts.iter().map(|host| host.name.clone()).collect();
    let (agent_image, pull_secret) =
        raw.agent.map_or((None, None), |agent| (agent.image, agent.pull_secret));
    let timeout = raw
        .timeout
        .as_ref()
        .map(|text| at.understood(text, time::time(&text.value.0)))
        .transpose()?;
    let lease = raw
        .lease
        .as_ref()
        .map(|text| at.understood(text, time::lease(&text.value.0)))
        .transpose()?;
    Ok(Project {
        file: file.to_owned(),
        form: Form::Towline,
        target: raw.target.as_ref().map(|text| at.parsed(text, &text.value)).transpose()?,
        namespace: raw.namespace.as_ref().map(|name| at.namespace(name)).transpose()?,
        context: raw.context,
        kubeconfig: raw.kubeconfig.map(|path| at.path(&path)),
        container: raw.container,
        ports: raw
            .ports
            .iter()
            .map(|text| at.parsed(text, &text.value.0))
            .collect::<Result<_, _>>()?,
        namespaces: raw
            .namespaces
            .iter()
            .map(|name| at.namespace(name))
            .collect::<Result<_, _>>()?,
        external_hosts,
        exclude: raw.exclude.iter().map(|name| at.service(name)).collect::<Result<_, _>>()?,
        names: raw.names.map(|names| match names {
            raw::Names::HostsFile => Names::HostsFile,
            raw::Names::Variables => Names::Variables,
        }),
        volumes: raw.volumes.map(|volumes| match volumes {
            raw::Volumes::Small => Volumes::Small,
            raw::Volumes::None => Volumes::None,
        }),
        program: raw.program.map(|program| at.program(program)).transpose()?,
        environment: at.environment(&raw.environment.0, &names)?,
        env_file: raw.env_file.map(|path| at.path(&path)),
        reconnect: raw.reconnect,
        timeout,
        lease,
        agent_image,
        pull_secret,
        warnings: Vec::new(),
    })
}

struct Reader<'a> {
    file: &'a Path,
}

impl Reader<'_> {
    fn wrong<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> ProjectError {
        wrong(self.file, at.referenced.into(), message, None)
    }

    fn understood<T, U>(
        &self,
        at: &Spanned<T>,
        result: Result<U, String>,
    ) -> Result<U, ProjectError> {
        result.map_err(|message| self.wrong(at, message))
    }

    fn parsed<T, U: FromStr<Err: Display>>(
        &self,
        at: &Spanned<T>,
        text: &str,
    ) -> Result<U, ProjectError> {
        self.understood(at, text.parse().map_err(|error: U::Err| error.to_string()))
    }

    fn namespace(&self, name: &Spanned<String>) -> Result<String, ProjectError> {
        match is_dns_name(&name.value) && !name.value.contains('.') {
            true => Ok(name.value.clone()),
            false => Err(self.wrong(name, format!("'{}' is no namespace", name.value))),
        }
    }

    fn service(&self, name: &Spanned<String>) -> Result<String, ProjectError> {
        match is_dns_name(&name.value) && name.value.matches('.').count() <= 1 {
            true => Ok(name.value.clone()),
            false => Err(self.wrong(
                name,
                format!("'{}' is not NAME or NAME.NAMESPACE of a service", name.value),
            )),
        }
    }

    /// Relative to the file; `~/` is the user's home.
    fn path(&self, path: &str) -> PathBuf {
        if let (Some(below), Some(home)) = (path.strip_prefix("~/"), std::env::home_dir()) {
            return home.join(below);
        }
        self.file.parent().unwrap_or(Path::new("/")).join(path)
    }

    fn program(&self, program: raw::Program) -> Result<Program, ProjectError> {
        let command = &program.command;
        let mut words = match &command.value {
            Words::List(words) => words.clone(),
            Words::Line(line) => self.understood(
                command,
                shell_words::split(line).map_err(|_| "a quote is not closed".to_owned()),
            )?,
        };
        if words.first().is_none_or(String::is_empty) {
            return Err(self.wrong(command, "there is no command"));
        }
        words.extend(program.arguments.into_iter().map(|Text(argument)| argument));
        if words.iter().any(|word| word.contains('\0')) {
            return Err(self.wrong(command, "a command cannot have zero bytes"));
        }
        Ok(Program {
            command: words,
            working_directory: program.working_directory.map(|path| self.path(&path)),
        })
    }

    fn environment(
        &self,
        variables: &[(Spanned<String>, Spanned<Option<Text>>)],
        hosts: &[HostName],
    ) -> Result<Vec<Variable>, ProjectError> {
        let mut known = BTreeSet::new();
        let each = variables.iter().map(|(name, value)| {
            self.understood(name, Variable::possible_name(&name.value))?;
            // YAML's own check takes keys with different tags for different keys.
            if !known.insert(&name.value) {
                return Err(self.wrong(name, format!("{} is there twice", name.value)));
            }
            let place = Place::from(value.referenced);
            let template = value.value.as_ref().map(|Text(text)| {
                self.understood(value, Variable::possible_value(text))?;
                Template::parse(text, hosts).map_err(|error| self.wrong(value, error.message))
            });
            Ok(Variable { name: name.value.clone(), value: template.transpose()?, place })
        });
        each.collect()
    }
}

fn external_host(entry: &HostEntry) -> Result<ExternalHost, String> {
    let host = match entry {
        HostEntry::Keys(HostKeys { name, ports }) => ExternalHost::new(name, ports.clone()),
        HostEntry::Line(line) => line.parse(),
    };
    host.map_err(|error| error.to_string())
}

/// A name of Kubernetes, with its dots.
fn is_dns_name(name: &str) -> bool {
    towline_core::request::is_subdomain(name)
}
