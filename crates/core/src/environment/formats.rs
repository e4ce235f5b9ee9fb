//! The environment as text to take elsewhere: into a shell, PowerShell, Docker, an editor. [`super::dotenv`] is the file that Towline itself writes.
//!
//! What a form cannot hold is left out, with a comment in its place that names the variable and says why. Nothing is changed to fit.

mod docker;
mod launch_json;
mod powershell;
mod shell;

pub use self::docker::docker;
pub use self::launch_json::launch_json;
pub use self::powershell::powershell;
pub use self::shell::shell;

/// A comment about a variable that is left out.
fn left_out(comment: &str, name: &str, why: &str) -> String {
    format!("{comment} {} is left out: {why}\n", name.escape_default())
}

#[cfg(test)]
pub(super) mod fixture {
    use crate::environment::{Environment, EnvironmentVariable, Origin};

    /// Values that have broken somebody's parser.
    pub(crate) const AWKWARD: [&str; 26] = [
        "",
        " ",
        " a b ",
        "line 1\nline 2\n",
        "\n",
        "\r\n",
        "it's",
        "''",
        "say \"hi\"",
        "it's \"both\"",
        "$HOME ${HOME} $(id) `id`",
        "${env:PATH} ${command:workbench.action.quit}",
        "it's $5",
        "C:\\dir\\",
        "\\",
        "\\\\",
        "it\\'s",
        "#not a comment",
        "a #b",
        "=a=b",
        "~/x",
        "!history",
        "‘curly’ ‚low‛",
        "ünï çødé 🚢",
        "\t*?[]{}()<>|&;",
        "-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n",
    ];

    /// Variables `V_0000`, `V_0001`, … of these values, and one that stays local.
    pub(crate) fn environment(values: &[&[u8]]) -> Environment {
        let variable = |name: String, value: &[u8], stays_local| EnvironmentVariable {
            name,
            value: value.to_vec().into(),
            origin: Origin::Literal,
            cluster_value: None,
            stays_local,
        };
        let mut variables = vec![variable("PATH".into(), b"/pod", true)];
        for (index, value) in values.iter().enumerate() {
            variables.push(variable(format!("V_{index:04}"), value, false));
        }
        Environment { variables }
    }

    pub(crate) fn awkward() -> Environment {
        environment(&AWKWARD.map(str::as_bytes))
    }

    /// One variable of that name.
    pub(crate) fn named(name: &str, value: &str) -> Environment {
        let mut environment = environment(&[value.as_bytes()]);
        environment.variables[1].name = name.to_owned();
        environment
    }
}
