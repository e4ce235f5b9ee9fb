//! The parts of `cargo xtask test`.

use clap::ValueEnum;

use crate::{agent, desktop, programs::Scope, sandbox};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// rustfmt changes nothing.
    Format,
    /// clippy has nothing to say.
    Lint,
    /// Licences, sources and duplicates of the dependencies.
    Deny,
    /// Unit, property and snapshot tests: all that needs no cluster.
    Unit,
    /// Helper frames, hosts file, project file and the tunnel's headers, fuzzed, by a number of inputs: `-- --seconds 600` to look further, `-- TARGET` for one, `-- TARGET INPUT` to repeat one input.
    Fuzz,
    /// The window's own part: checks, unit tests, and every screen in a browser on a fake backend.
    Ui,
    /// The helper with the superuser's rights: polkit, users without rights, private copies of what it changes. Needs root.
    Elevation,
    /// End to end, on the sandbox cluster.
    Cluster,
    /// End to end, through the real window, on the sandbox cluster.
    Desktop,
}

impl Part {
    pub(crate) const ALL: [Self; 9] = [
        Self::Format,
        Self::Lint,
        Self::Deny,
        Self::Unit,
        Self::Fuzz,
        Self::Ui,
        Self::Elevation,
        Self::Cluster,
        Self::Desktop,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lint => "lint",
            Self::Deny => "deny",
            Self::Unit => "unit",
            Self::Fuzz => "fuzz",
            Self::Ui => "ui",
            Self::Elevation => "elevation",
            Self::Cluster => "cluster",
            Self::Desktop => "desktop",
        }
    }

    /// Whether it is read off the sources. After a failure in one of these the others do not run; after a failed test they do, so that one run tells all
    /// that is wrong.
    pub(crate) fn is_static(self) -> bool {
        matches!(self, Self::Format | Self::Lint | Self::Deny)
    }

    pub(crate) fn needs_cluster(self) -> bool {
        matches!(self, Self::Cluster | Self::Desktop)
    }

    /// What its tests are in, and what they try, when it is the only part that runs.
    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::Elevation => Scope::Packages(&["towline-helper", "towline-elevation-tests"]),
            Self::Cluster => Scope::Packages(&[
                agent::PACKAGE,
                "towline-app",
                "towline-helper",
                "towline-cluster-tests",
                "towline-workload",
                sandbox::DNS,
            ]),
            Self::Desktop => Scope::Packages(&[
                agent::PACKAGE,
                desktop::PACKAGE,
                "towline-helper",
                "towline-desktop-tests",
                sandbox::DNS,
            ]),
            _ => Scope::Everything,
        }
    }
}
