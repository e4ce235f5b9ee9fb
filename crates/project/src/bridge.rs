//! `KubernetesLocalProcessConfig.yaml`, the file of Bridge to Kubernetes, read as it is.
//!
//! Its form, from three sources that agree: the documentation ("Configure Bridge to Kubernetes", `docs/bridge/configure-bridge-to-kubernetes.md` of
//! MicrosoftDocs/visualstudio-docs, 2024-04-26), the reader itself (`LocalProcessConfigFile.cs`, `LocalProcessConfig.cs`, `EnvironmentEntry.cs`,
//! `EnvironmentTokenParser.cs` below `src/library/Connect/Environment` of Azure/Bridge-To-Kubernetes) and its tests (`LocalProcessConfigTests.cs`).
//!
//! | there | here |
//! |---|---|
//! | `version`, at most 0.1 | needed, as there |
//! | `env[].name`, `env[].value` | a variable of the program; the last of a name wins |
//! | `$(services:NAME[.NAMESPACE][:PORTS])` | the service's address on this machine, `${service:….ip}`; a namespace joins those of the session |
//! | `$(externalEndpoints:HOST:PORT[,PORT])` | the host's name, which becomes one of the external hosts |
//! | `$(volumeMounts:NAME)`, `*` allowed | where the volume of that name is, `${volume:NAME}` |
//! | `volumeMounts[].localPath` | none: files are in the session's private directory, or with `--mount` at their own paths |
//! | `enableFeatures: [ManagedIdentity, Probes, LifecycleHooks]` | none; each is told with what to do instead |
//!
//! Kinds of tokens are the same in upper and lower case. A `$` that begins no token is an error there, and an ordinary character here. What to stand in
//! for is not in that file (Bridge had it in the editor's launch configuration), so the command line says it.

use std::path::Path;

use serde::Deserialize;
use serde_saphyr::Spanned;
use towline_core::request::ExternalHost;
use towline_machine::HostName;

use crate::error::ProjectError;
use crate::raw::Text;
use crate::token::{Part, Piece, Template, Token, VolumeRef, is_label};
use crate::yaml::{self, wrong};
use crate::{Form, Project, Variable};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    version: Option<Spanned<Text>>,
    env: Option<Vec<Env>>,
    volume_mounts: Option<Vec<VolumeMount>>,
    enable_features: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Env {
    name: Spanned<Option<Text>>,
    value: Option<Spanned<Option<Text>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VolumeMount {
    name: Spanned<String>,
    local_path: Option<String>,
}

/// The newest version that there was.
const NEWEST: (u32, u32) = (0, 1);

/// Of a variable's name, in bytes.
const LONGEST_NAME: usize = 255;

pub(crate) fn parse(file: &Path, text: &str) -> Result<Project, ProjectError> {
    let raw: File = yaml::parse(file, text)?;
    version(file, raw.version.as_ref())?;
    let mut project = Project { file: file.to_owned(), form: Form::Bridge, ..Project::default() };
    for feature in raw.enable_features.iter().flatten() {
        project.warnings.push(without(&feature.value));
    }
    for mount in raw.volume_mounts.iter().flatten() {
        if let Some(path) = mount.local_path.as_ref().filter(|path| !path.trim().is_empty()) {
            project.warnings.push(format!(
                "volumeMounts: {} is not put at {path}, but in the session's private directory, where $(volumeMounts:{}) leads. With --mount the program sees each volume at the container's own path.",
                mount.name.value, mount.name.value
            ));
        }
    }
    for env in raw.env.into_iter().flatten() {
        let name = env.name.value.clone().map(|Text(name)| name).unwrap_or_default();
        let possible = match name.len() {
            ..=LONGEST_NAME => Variable::possible_name(&name),
            _ => Err(format!("a variable's name has at most {LONGEST_NAME} bytes")),
        };
        possible.map_err(|message| wrong(file, env.name.referenced.into(), message, None))?;
        let (place, value) = match &env.value {
            Some(value) => {
                (value.referenced, value.value.clone().map(|Text(value)| value).unwrap_or_default())
            }
            None => (env.name.referenced, String::new()),
        };
        let template = Variable::possible_value(&value)
            .and_then(|()| template(&value, &mut project))
            .map_err(|message| wrong(file, place.into(), format!("{name}: {message}"), None))?;
        project.environment.retain(|known| known.name != name);
        project.environment.push(Variable { name, value: Some(template), place: place.into() });
    }
    Ok(project)
}

fn version(file: &Path, version: Option<&Spanned<Text>>) -> Result<(), ProjectError> {
    let Some(version) = version else {
        let hint = "Its first line is to be: version: 0.1".to_owned();
        return Err(wrong(
            file,
            crate::Place { line: 1, column: 1 },
            "the key 'version' is missing",
            Some(hint),
        ));
    };
    let Text(text) = &version.value;
    let mut numbers = text.split('.').map(str::parse::<u32>);
    let parsed = match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if numbers.all(|number| number.is_ok()) => {
            (major, minor)
        }
        _ => {
            return Err(wrong(
                file,
                version.referenced.into(),
                format!("'{text}' is no version such as 0.1"),
                None,
            ));
        }
    };
    if parsed > NEWEST {
        let message = format!("version {text} is not known: Bridge to Kubernetes ended with 0.1");
        return Err(wrong(file, version.referenced.into(), message, None));
    }
    Ok(())
}

/// What is lost with a feature.
fn without(feature: &str) -> String {
    match feature.to_ascii_lowercase().as_str() {
        "managedidentity" => "enableFeatures: ManagedIdentity has no equivalent: no local server stands in for Azure's identity endpoint. A pod with workload identity has its token as a file and in AZURE_FEDERATED_TOKEN_FILE; run with --mount and it is found there.".to_owned(),
        "probes" => "enableFeatures: Probes has no equivalent: the container's probes are removed for the time of the session, so that a breakpoint does not end it.".to_owned(),
        "lifecyclehooks" => "enableFeatures: LifecycleHooks has no equivalent: the container's lifecycle hooks are removed for the time of the session, because they would run in the agent.".to_owned(),
        _ => format!("enableFeatures: {feature} is not known, and has no effect."),
    }
}

/// A value with tokens in Bridge's form.
fn template(text: &str, project: &mut Project) -> Result<Template, String> {
    let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(start) = rest.find("$(") {
        plain.push_str(&rest[..start]);
        let Some(length) = rest[start..].find(')') else {
            return Err(format!(
                "a token begins with $( and has no ) after it: {}",
                &rest[start..]
            ));
        };
        let token = &rest[start..=start + length];
        let parsed = token_of(&token[2..token.len() - 1], project)
            .map_err(|message| format!("{token} {message}"))?;
        match parsed {
            Piece::Text(text) => plain.push_str(&text),
            token => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(token);
            }
        }
        rest = &rest[start + length + 1..];
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(Template(pieces))
}

fn token_of(text: &str, project: &mut Project) -> Result<Piece, String> {
    let unknown = "is no token: those are $(services:…), $(externalEndpoints:…), $(volumeMounts:…)";
    let (kind, body) = text.split_once(':').ok_or(unknown)?;
    if body.trim().is_empty() {
        return Err(format!("says no name after {kind}:"));
    }
    match kind.to_ascii_lowercase().as_str() {
        "volumemounts" if VolumeRef::is_name(body.trim()) => {
            Ok(Piece::Token(Token::Volume(VolumeRef::Name(body.trim().to_owned()))))
        }
        "volumemounts" => Err(
            "is no name of a volume: letters, digits, - and . are expected, and * for any of them"
                .to_owned(),
        ),
        "services" => service(body, project),
        "externalendpoints" => endpoint(body, project),
        _ => Err(unknown.to_owned()),
    }
}

fn service(body: &str, project: &mut Project) -> Result<Piece, String> {
    let mut parts = body.split(':').filter(|part| !part.is_empty());
    let (name, ports) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() {
        return Err("has too many parts: $(services:NAME) or $(services:NAME.NAMESPACE), then perhaps :PORT".to_owned());
    }
    if let Some(text) = ports {
        // Bridge reads them and takes no heed of them: a service has all its ports.
        self::ports(text)?;
    }
    let (name, namespace) = match name.split_once('.') {
        Some((name, namespace)) => (name, Some(namespace)),
        None => (name, None),
    };
    if !is_label(name) || !namespace.is_none_or(is_label) {
        return Err("is no name of a service: NAME or NAME.NAMESPACE".to_owned());
    }
    if let Some(namespace) = namespace
        && !project.namespaces.iter().any(|known| known == namespace)
    {
        project.namespaces.push(namespace.to_owned());
    }
    Ok(Piece::Token(Token::Service {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        port: None,
        part: Part::Ip,
    }))
}

fn endpoint(body: &str, project: &mut Project) -> Result<Piece, String> {
    let parts: Vec<&str> = body.split(':').filter(|part| !part.is_empty()).collect();
    let [name, numbers] = parts.as_slice() else {
        return Err("is not $(externalEndpoints:HOST:PORT)".to_owned());
    };
    let numbers = ports(numbers)?;
    let Ok(host) = name.parse::<HostName>() else {
        if name.parse::<std::net::IpAddr>().is_ok() {
            project.warnings.push(format!(
                "$(externalEndpoints:{body}) is an address, which no name leads to: it stays as it is, and is reached only where this machine reaches it."
            ));
            return Ok(Piece::Text((*name).to_owned()));
        }
        return Err(format!("is no host: {name:?}"));
    };
    ExternalHost { name: host.clone(), ports: numbers }.add_to(&mut project.external_hosts);
    Ok(Piece::Token(Token::ExternalHost { host, port: None, part: Part::Host }))
}

/// Separated by commas or blanks.
fn ports(text: &str) -> Result<Vec<u16>, String> {
    let numbers = text.split([',', ' ']).filter(|number| !number.is_empty());
    let numbers: Result<Vec<u16>, _> = numbers.map(str::parse).collect();
    match numbers {
        Ok(numbers) if !numbers.is_empty() && !numbers.contains(&0) => Ok(numbers),
        _ => Err(format!("has '{text}' for ports: numbers from 1 to 65535 are expected")),
    }
}
