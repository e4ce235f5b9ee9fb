//! Ports of this machine that a session needs and somebody else holds: who that is, what can be done about it, and doing it on the user's word.
//!
//! Nothing here stops anything by itself. [`stop_holder`] wants one holder by name, and looks again at the moment of doing it: the very process, by
//! its start, must still hold the very port.

mod stop;
mod way;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use towline_helper::client::Helper;
use towline_machine::LoopbackAddress;
use towline_machine::holder;
pub use towline_machine::holder::Holder;

pub use self::stop::{Force, StopError, Stopped, stop_holder};
pub use self::way::{Way, needs_helper, way};

/// A port that somebody else holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenPort {
    /// The address that is needed; with several, the first of them.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// What needs it: `your program`, or services as `name.namespace`.
    pub wanted_by: Vec<String>,
    /// The port of the container that comes to it; none where it is a service's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<u16>,
    /// Who holds it, the oldest process first; empty where that cannot be told.
    pub holders: Vec<Holder>,
}

/// Who holds `port` of `address`. Where a process that this user may not see does and there is a helper, the helper is asked.
///
/// # Errors
/// When the system does not tell.
pub async fn holders(
    address: IpAddr,
    port: u16,
    helper: Option<&Helper>,
) -> std::io::Result<Vec<Holder>> {
    let found = tokio::task::spawn_blocking(move || holder::find(address, port)).await??;
    let unseen = found.iter().any(|holder| holder.pid.is_none());
    let (Some(helper), true) = (helper, unseen) else { return Ok(found) };
    let (Ok(address), Ok(port)) = (LoopbackAddress::try_from(address), port.try_into()) else {
        return Ok(found);
    };
    match helper.holder(address, port).await {
        Ok(all) => Ok(all),
        Err(error) => Err(std::io::Error::other(error)),
    }
}

/// One sentence part for all of them: `a (process 1, user x) and b (…)`; `None` where nobody is known.
pub fn named(holders: &[Holder]) -> Option<String> {
    let names: Vec<String> = holders.iter().map(Holder::to_string).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        [one, another] => Some(format!("{one} and {another}")),
        [first, others @ ..] => Some(format!("{first} and {} others", others.len())),
    }
}

/// The same ports once, with all that need them.
pub(crate) fn merged<'a>(taken: impl IntoIterator<Item = &'a TakenPort>) -> Vec<TakenPort> {
    let mut by_port: BTreeMap<u16, TakenPort> = BTreeMap::new();
    for one in taken {
        match by_port.get_mut(&one.port) {
            None => drop(by_port.insert(one.port, one.clone())),
            Some(known) => {
                known.wanted_by.extend(one.wanted_by.iter().cloned());
                known.remote = known.remote.or(one.remote);
                let new = one.holders.iter().filter(|holder| !known.holders.contains(holder));
                let new: Vec<Holder> = new.cloned().collect();
                known.holders.extend(new);
            }
        }
    }
    by_port.into_values().collect()
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests;
