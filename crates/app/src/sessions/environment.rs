//! The environment on screen and on the clipboard.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use towline_core::environment::{Bytes, Environment, EnvironmentVariable, Origin, dotenv, formats};
use towline_core::report::Code;

use crate::report::failure;
use crate::view::{EnvironmentFormat, Here, Report, Variable};

/// The variables, secrets masked.
pub(super) fn variables(environment: &Environment) -> Vec<Variable> {
    environment.variables.iter().map(variable).collect()
}

fn variable(variable: &EnvironmentVariable) -> Variable {
    let secret = variable.is_secret();
    let cluster_value = variable.cluster_value.as_ref().filter(|_| !secret);
    Variable {
        name: variable.name.clone(),
        value: (!secret).then(|| text_of(&variable.value)),
        secret,
        origin: variable.origin.to_string(),
        origin_kind: kind(&variable.origin).to_owned(),
        cluster_value: cluster_value.map(text_of),
        stays_local: variable.stays_local,
        here: here(variable),
    }
}

fn here(variable: &EnvironmentVariable) -> Here {
    match std::env::var_os(OsStr::new(&variable.name)) {
        None => Here::Absent,
        Some(value) if value.as_bytes() == bytes(&variable.value) => Here::Same,
        Some(_) => Here::Different,
    }
}

fn kind(origin: &Origin) -> &'static str {
    match origin {
        Origin::Literal => "literal",
        Origin::ConfigMap { .. } => "configMap",
        Origin::Secret { .. } => "secret",
        Origin::OneOf { .. } => "oneOf",
        Origin::Field { .. } => "field",
        Origin::Resource { .. } => "resource",
        Origin::File { .. } => "file",
        Origin::Image => "image",
        Origin::Service { .. } => "service",
        Origin::Runtime => "runtime",
        Origin::Towline => "towline",
        Origin::Project { .. } => "project",
    }
}

/// The value of one variable.
pub(super) fn reveal(environment: &Environment, name: &str) -> Result<String, Report> {
    let found = environment.get(name).map(|variable| text_of(&variable.value));
    found.ok_or_else(|| {
        let message = format!("The environment has no variable {name}.");
        failure(
            Code::Input,
            message,
            Some("Look at the list again; the session may have connected anew."),
        )
    })
}

/// The environment in one of the forms. A clipboard holds text, so variables that are none are left out, with a comment.
pub(super) fn text(environment: &Environment, format: EnvironmentFormat, title: &str) -> String {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    match format {
        EnvironmentFormat::Dotenv => {
            let (environment, comments) = only_text(environment);
            text(dotenv::write(&environment)) + &comments
        }
        EnvironmentFormat::Shell => {
            let (environment, comments) = only_text(environment);
            text(formats::shell(&environment).into()) + &comments
        }
        EnvironmentFormat::PowerShell => formats::powershell(environment),
        EnvironmentFormat::Docker => formats::docker(environment),
        EnvironmentFormat::LaunchJson => {
            formats::launch_json(environment, &format!("{title} (Towline)"))
        }
    }
}

fn only_text(environment: &Environment) -> (Environment, String) {
    let (mut kept, mut comments) = (Vec::new(), String::new());
    for variable in environment.variables.iter().filter(|variable| !variable.stays_local) {
        if std::str::from_utf8(bytes(&variable.value)).is_ok() {
            kept.push(variable.clone());
        } else {
            let name = variable.name.escape_default();
            comments +=
                &format!("# {name} is left out: its value is not UTF-8; the env file has it\n");
        }
    }
    (Environment { variables: kept }, comments)
}

fn bytes(value: &Bytes) -> &[u8] {
    match value {
        Bytes::Text(text) => text.as_bytes(),
        Bytes::Raw(raw) => raw,
    }
}

fn text_of(value: &Bytes) -> String {
    String::from_utf8_lossy(bytes(value)).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn variable(name: &str, value: &[u8], origin: Origin) -> EnvironmentVariable {
        let value = Bytes::from(value.to_vec());
        EnvironmentVariable {
            name: name.into(),
            value,
            origin,
            cluster_value: None,
            stays_local: false,
        }
    }

    fn environment() -> Environment {
        let secret = Origin::Secret { name: "keys".into(), key: "token".into() };
        let mut path = variable("PATH", b"/pod/bin", Origin::Runtime);
        path.stays_local = true;
        let mut redis =
            variable("REDIS_PORT", b"tcp://127.0.0.1:4", Origin::Service { name: "redis".into() });
        redis.cluster_value = Some(Bytes::from(b"tcp://10.0.0.1:6379".to_vec()));
        let variables = vec![
            variable("GREETING", b"it's\nme", Origin::Literal),
            path,
            variable("RAW", b"\xff\xfe", Origin::Literal),
            redis,
            variable("TOKEN", b"s3cret", secret),
        ];
        Environment { variables }
    }

    #[test]
    fn secrets_are_masked_until_asked_for() {
        let environment = environment();
        let shown = variables(&environment);
        let all = format!("{shown:?}");
        assert!(!all.contains("s3cret"), "{all}");
        let token = shown.last().unwrap();
        assert_eq!((token.secret, &token.value), (true, &None));
        assert_eq!(
            (token.origin.as_str(), token.origin_kind.as_str()),
            ("secret keys, key token", "secret")
        );
        assert_eq!(reveal(&environment, "TOKEN").unwrap(), "s3cret");
        assert_eq!(reveal(&environment, "NONE").unwrap_err().code, "input");
    }

    #[test]
    fn a_variable_says_how_it_differs() {
        let shown = variables(&environment());
        let by_name = |name: &str| shown.iter().find(|variable| variable.name == name).unwrap();
        assert_eq!(by_name("PATH").here, Here::Different);
        assert!(by_name("PATH").stays_local);
        assert_eq!(by_name("GREETING").here, Here::Absent);
        assert_eq!(by_name("RAW").value.as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(by_name("REDIS_PORT").cluster_value.as_deref(), Some("tcp://10.0.0.1:6379"));
    }

    #[test]
    fn every_form_has_the_values_and_nothing_that_stays_local() {
        for format in [
            EnvironmentFormat::Dotenv,
            EnvironmentFormat::Shell,
            EnvironmentFormat::PowerShell,
            EnvironmentFormat::Docker,
            EnvironmentFormat::LaunchJson,
        ] {
            let text = text(&environment(), format, "orders");
            assert!(text.contains("s3cret") && !text.contains("/pod/bin"), "{text}");
            assert!(text.contains("RAW is left out"), "{text}");
        }
    }
}
