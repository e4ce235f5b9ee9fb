//! Who holds ports of this machine, and ending that on the user's word.

use std::net::IpAddr;

use towline_core::plan::Plan;
use towline_core::ports::{self, Force, StopError, Way};
use towline_core::report::Code;

use super::Machine;
use crate::report::{explained, failure};
use crate::view::{Holder, Report, StopHolder, StopHow, Stopped, TakenPort};

/// The lowest port that anybody may listen on (`ip_unprivileged_port_start` of ip(7); elsewhere 1024 is usual).
pub(crate) fn unprivileged_from() -> u16 {
    let file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let written = std::fs::read_to_string(file).ok();
    written.and_then(|text| text.trim().parse().ok()).unwrap_or(1024)
}

/// The ports that a plan needs and somebody else has.
pub(crate) fn taken(plan: &Plan) -> Vec<TakenPort> {
    let port = |port: ports::TakenPort| TakenPort {
        address: port.address.to_string(),
        port: port.port,
        remote: port.remote,
        wanted_by: port.wanted_by,
        holders: port.holders.iter().map(view).collect(),
    };
    plan.taken_ports().into_iter().map(port).collect()
}

fn view(holder: &ports::Holder) -> Holder {
    let program = holder
        .command
        .first()
        .map(|first| first.rsplit('/').next().unwrap_or(first).trim_end_matches(':').to_owned());
    let never = match ports::way(holder) {
        Way::Never { why, instead } => {
            Some(format!("It is not stopped for a port: {why}. {instead}"))
        }
        _ => None,
    };
    Holder {
        pid: holder.pid,
        started: holder.started,
        program: program.unwrap_or_default(),
        command: holder.command_line().unwrap_or_default(),
        user: holder.user_name(),
        mine: is_mine(holder.uid),
        unit: holder.unit.as_ref().map(ToString::to_string),
        never,
    }
}

#[cfg(unix)]
fn is_mine(uid: u32) -> bool {
    nix::unistd::geteuid().as_raw() == uid
}

#[cfg(not(unix))]
fn is_mine(_: u32) -> bool {
    false
}

impl Machine {
    /// Who holds a port that another user's process has. Asks for administrator rights.
    ///
    /// # Errors
    ///
    /// When they are not granted, or nobody holds it any more.
    pub(crate) async fn find_holders(
        &self,
        address: &str,
        port: u16,
    ) -> Result<Vec<Holder>, Report> {
        let address = parse(address)?;
        let with = self.helper().await?;
        let found = look(address, port, Some(&with.helper)).await?;
        if found.is_empty() {
            return Err(nobody(port));
        }
        Ok(found.iter().map(view).collect())
    }

    /// Stops the process that the user has named: this very one, if it still holds the port.
    ///
    /// # Errors
    ///
    /// When it does not any more, is another user's and the rights are not granted, or cannot be stopped. Nothing has been stopped then.
    pub(crate) async fn stop_holder(&self, stop: &StopHolder) -> Result<Stopped, Report> {
        let address = parse(&stop.address)?;
        let is_it = |holder: &ports::Holder| {
            holder.pid == Some(stop.pid) && holder.started == Some(stop.started)
        };
        let seen = look(address, stop.port, None).await?.into_iter().find(is_it);
        let own = seen.as_ref().is_some_and(|holder| !ports::needs_helper(holder));
        let with = if own { None } else { Some(self.helper().await?) };
        let helper = with.as_ref().map(|with| &with.helper);
        let holder = match seen {
            Some(holder) => holder,
            None => {
                let all = look(address, stop.port, helper).await?;
                all.into_iter().find(is_it).ok_or_else(|| another(stop))?
            }
        };
        let force = match stop.how {
            StopHow::Ask => Force::Ask,
            StopHow::Kill => Force::Kill,
        };
        match ports::stop_holder(&holder, force, helper).await {
            Ok(stopped) => Ok(told(&stopped, stop.port)),
            Err(StopError::StillRunning { holder }) => {
                let message = format!("{holder} was told to end, and still runs after 10 s.");
                Ok(Stopped { free: false, ended: false, message })
            }
            Err(error) => Err(explained(&error)),
        }
    }
}

fn told(stopped: &ports::Stopped, port: u16) -> Stopped {
    let free = stopped.left.is_empty();
    let message = match ports::named(&stopped.left) {
        None => format!("Port {port} is free: {} has ended.", stopped.holder),
        Some(left) => {
            format!("{} has ended, but port {port} is held by {left} now.", stopped.holder)
        }
    };
    Stopped { free, ended: true, message }
}

async fn look(
    address: IpAddr,
    port: u16,
    helper: Option<&towline_helper::client::Helper>,
) -> Result<Vec<ports::Holder>, Report> {
    ports::holders(address, port, helper).await.map_err(|error| {
        let message = format!("Who holds port {port} of this machine cannot be told: {error}.");
        failure(Code::Internal, message, Some("Look yourself: ss -ltnp"))
    })
}

fn parse(address: &str) -> Result<IpAddr, Report> {
    let parsed: Option<IpAddr> = address.parse().ok();
    parsed.ok_or_else(|| failure(Code::Input, format!("'{address}' is no address."), None))
}

fn nobody(port: u16) -> Report {
    let message = format!("Nobody listens on port {port} any more.");
    failure(Code::Changed, message, Some("Read the plan again."))
}

fn another(stop: &StopHolder) -> Report {
    let message = format!(
        "Process {} does not hold port {} any more. Nothing was stopped.",
        stop.pid, stop.port
    );
    failure(Code::Changed, message, Some("Read the plan again: it shows who has the port now."))
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;

    use super::*;
    use crate::publish::testing::Published;

    const HERE: &str = "127.0.0.1";

    /// Listens on a port of its own.
    fn listener() -> (Child, u16) {
        let program = "import signal,socket;s=socket.create_server(('127.0.0.1',0));print(s.getsockname()[1],flush=True);signal.pause()";
        let mut child =
            Command::new("python3").args(["-c", program]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (child, line.trim().parse().unwrap())
    }

    #[tokio::test]
    async fn this_very_process_is_stopped_and_no_other() {
        let machine = Machine::new(Arc::new(Published::default()));
        let (mut child, port) = listener();
        let found = look(HERE.parse().unwrap(), port, None).await.unwrap();
        let holder = view(&found[0]);
        assert_eq!(
            (holder.pid, holder.mine, &*holder.program),
            (Some(child.id()), true, "python3")
        );
        let stop = |pid: u32| StopHolder {
            address: HERE.into(),
            port,
            pid,
            started: holder.started.unwrap(),
            how: StopHow::Ask,
        };
        let nonsense = StopHolder { address: "localhost".into(), ..stop(child.id()) };
        assert_eq!(machine.stop_holder(&nonsense).await.unwrap_err().code, "input");
        assert!(child.try_wait().unwrap().is_none(), "it goes on");
        if holder.unit.is_none() {
            let stopped = machine.stop_holder(&stop(child.id())).await.unwrap();
            assert!(stopped.free && stopped.ended, "{stopped:?}");
        } else {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        assert!(look(HERE.parse().unwrap(), port, None).await.unwrap().is_empty());
    }
}
