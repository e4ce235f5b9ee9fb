//! A project as `towline.yaml`, for what was read from Bridge's file.

use std::fmt::Write as _;

use serde_yaml_ng::{Mapping, Value};
use towline_core::request::{Names, Volumes};

use crate::{NAMES, Project};

impl Project {
    /// The text of a `towline.yaml` that says the same; its warnings are comments at the beginning.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        for warning in &self.warnings {
            // One line whatever stands in it: a line of its own would be read.
            let warning: String =
                warning.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
            writeln!(text, "# {warning}").expect("a string takes everything");
        }
        if self.target.is_none() {
            text +=
                "# What to stand in for; `towline services` lists what there is.\n# target: NAME\n";
        }
        let mapping = self.mapping();
        if mapping.is_empty() {
            return text;
        }
        // By the library that reads it: what one of them takes for a plain text, another takes for the end of a line or for a key of YAML's own.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        text += &serde_saphyr::to_string_with_options(&mapping, options)
            .expect("text and numbers are always YAML");
        text
    }

    fn mapping(&self) -> Mapping {
        let mut all = Mapping::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                all.insert(key.into(), value);
            }
        };
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let list = |list: Vec<Value>| (!list.is_empty()).then_some(Value::Sequence(list));
        let path = |path: &Option<std::path::PathBuf>| {
            path.as_ref().map(|path| match path.strip_prefix(self.directory()) {
                Ok(below) if below.as_os_str().is_empty() => Value::from("."),
                // `~/` would be the user's home.
                Ok(below) if below.starts_with("~") => {
                    Value::from(format!("./{}", below.display()))
                }
                Ok(below) => Value::from(below.display().to_string()),
                Err(_) => Value::from(path.display().to_string()),
            })
        };
        put("target", self.target.as_ref().map(|target| target.to_string().into()));
        put("namespace", text(&self.namespace));
        put("context", text(&self.context));
        put("kubeconfig", path(&self.kubeconfig));
        put("container", text(&self.container));
        let ports = self.ports.iter().map(|port| {
            let remote = port.remote.to_string();
            port.local.map_or(remote.clone(), |local| format!("{remote}:{local}")).into()
        });
        put("ports", list(ports.collect()));
        put("namespaces", list(self.namespaces.iter().map(|name| name.as_str().into()).collect()));
        let hosts = self.external_hosts.iter().map(|host| host.to_string().into());
        put("externalHosts", list(hosts.collect()));
        put("exclude", list(self.exclude.iter().map(|name| name.as_str().into()).collect()));
        put(
            "names",
            self.names.map(|names| match names {
                Names::HostsFile => "hosts-file".into(),
                // Whether the program has a hosts file of its own is said by the command, and never by the file.
                Names::Variables | Names::OwnHostsFile => "variables".into(),
            }),
        );
        put(
            "volumes",
            self.volumes.map(|volumes| match volumes {
                Volumes::Small => "small".into(),
                Volumes::None => "none".into(),
            }),
        );
        put(
            "program",
            self.program.as_ref().map(|program| {
                let mut keys = Mapping::new();
                let words = program.command.iter().map(|word| word.as_str().into()).collect();
                keys.insert("command".into(), Value::Sequence(words));
                if let Some(directory) = path(&program.working_directory) {
                    keys.insert("workingDirectory".into(), directory);
                }
                keys.into()
            }),
        );
        let environment: Mapping = self
            .environment
            .iter()
            .map(|variable| {
                let value =
                    variable.value.as_ref().map_or(Value::Null, |value| value.to_string().into());
                (variable.name.as_str().into(), value)
            })
            .collect();
        put("environment", (!environment.is_empty()).then_some(environment.into()));
        put("envFile", path(&self.env_file));
        put("reconnect", self.reconnect.map(Value::from));
        put("timeout", self.timeout.map(|time| crate::time::written(time).into()));
        put("lease", self.lease.map(|time| crate::time::written(time).into()));
        let mut agent = Mapping::new();
        for (key, value) in [("image", &self.agent_image), ("pullSecret", &self.pull_secret)] {
            if let Some(value) = value {
                agent.insert(key.into(), value.as_str().into());
            }
        }
        put("agent", (!agent.is_empty()).then_some(agent.into()));
        all
    }

    /// The name that a file of Towline's own form has.
    pub const OWN_NAME: &'static str = NAMES[0];
}
