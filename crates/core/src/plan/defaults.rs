//! What a session takes from its surroundings: the agent's image, and who the user is.

use std::env;

use jiff::Timestamp;
use towline_wire::SessionId;
use towline_workload::SessionRecord;

use super::PlanError;
use crate::cluster::Cluster;
use crate::request::Request;
use crate::settings::Settings;

/// The agent's image where nobody has set another.
pub const DEFAULT_AGENT_IMAGE: &str = concat!("towline.dev/agent:", env!("CARGO_PKG_VERSION"));

/// The variable that sets the agent's image for all contexts.
pub const AGENT_IMAGE_VARIABLE: &str = "TOWLINE_AGENT_IMAGE";

/// Image and pull secret: what the request says, else the environment, else the settings of the context, else the default.
pub(super) fn agent_image(
    cluster: &Cluster,
    request: &Request,
) -> Result<(String, Option<String>), PlanError> {
    let settings = Settings::load()?.contexts.remove(cluster.context()).unwrap_or_default();
    let variable = env::var(AGENT_IMAGE_VARIABLE).ok().filter(|image| !image.is_empty());
    let image = request.agent_image.clone().or(variable).or(settings.agent_image);
    let image = image.unwrap_or_else(|| DEFAULT_AGENT_IMAGE.to_owned());
    if image.is_empty() || !image.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(PlanError::Image(image));
    }
    Ok((image, request.pull_secret.clone().or(settings.pull_secret)))
}

/// What others are shown of the session.
pub(super) fn record(session: &SessionId, container: &str) -> SessionRecord {
    let Identity { user, host } = Identity::of_this_process();
    SessionRecord {
        id: session.to_string(),
        user,
        host,
        started: Timestamp::now(),
        container: container.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Who the user is, as others see it on a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's name on this machine; "unknown" where it cannot be told.
    pub user: String,
    /// This machine's name; "unknown" where it cannot be told.
    pub host: String,
}

impl Identity {
    /// Whose process this is.
    pub fn of_this_process() -> Self {
        let unknown = || "unknown".to_owned();
        let host = hostname::get().ok().and_then(|name| name.into_string().ok());
        Self {
            user: user().unwrap_or_else(unknown),
            host: host.filter(|name| !name.is_empty()).unwrap_or_else(unknown),
        }
    }
}

/// The name of this machine's user.
fn user() -> Option<String> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable).or_else(account)
}

#[cfg(unix)]
fn account() -> Option<String> {
    use nix::unistd::{Uid, User};
    Some(User::from_uid(Uid::current()).ok()??.name)
}

#[cfg(not(unix))]
fn account() -> Option<String> {
    None
}
