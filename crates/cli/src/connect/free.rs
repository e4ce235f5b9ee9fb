//! `--free-port`: stopping what holds a port that the session needs. The option is the user's word for it; nothing is stopped without.

use std::fmt;
use std::str::FromStr;

use towline_core::plan::Plan;
use towline_core::ports::{self, Force, Holder, StopError, TakenPort};
use towline_core::report::{Code, Explain};
use towline_core::request::Program;
use towline_helper::client::Helper;

use super::narrate::Narrator;
use crate::failure::Failure;
use crate::plan::in_the_way;

/// The word for one port: `8080`, or `8080:kill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FreePort {
    pub(crate) port: u16,
    /// Whether SIGKILL may follow where SIGTERM does not do it.
    pub(crate) kill: bool,
}

impl FromStr for FreePort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, kill) = match text.split_once(':') {
            None => (text, false),
            Some((number, "kill")) => (number, true),
            Some(_) => return Err(format!("'{text}' is not PORT or PORT:kill")),
        };
        match number.parse() {
            Ok(port) if port > 0 => Ok(Self { port, kill }),
            _ => Err(format!(
                "'{text}' is not PORT or PORT:kill; a port is a number from 1 to 65535"
            )),
        }
    }
}

impl fmt::Display for FreePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.port, if self.kill { ":kill" } else { "" })
    }
}

/// Stops who holds the ports that the words name, as the plan found them. The value: whether anybody was stopped, so that the plan is to be made anew.
pub(super) async fn free(
    plan: &Plan,
    words: &[FreePort],
    narrator: &mut Narrator,
) -> Result<bool, Failure> {
    let taken = plan.taken_ports();
    for word in words {
        let of_program = plan
            .inbound
            .iter()
            .any(|inbound| inbound.local == word.port && inbound.protocol.is_tcp());
        if of_program && plan.request.program == Program::StartedByUser {
            let message = format!(
                "--free-port {word}: without a command, what listens on port {} counts as your program, and is not stopped",
                word.port
            );
            return Err(Failure::new(Code::Input, message)
                .with_hint("give the command: towline connect … -- COMMAND"));
        }
        let needed = taken.iter().any(|taken| taken.port == word.port)
            || of_program
            || plan
                .hosts
                .iter()
                .flat_map(|hosts| &hosts.hosts)
                .any(|host| host.ports.contains(&word.port));
        if !needed {
            let message = format!(
                "--free-port {word}: the session does not need port {} of this machine",
                word.port
            );
            let ports: Vec<String> = taken.iter().map(|taken| taken.port.to_string()).collect();
            let hint = match ports.as_slice() {
                [] => "no port that it needs is taken".to_owned(),
                ports => format!("taken are: {}", ports.join(", ")),
            };
            return Err(Failure::new(Code::Input, message).with_hint(hint));
        }
    }
    if words.is_empty() {
        return Ok(false);
    }
    // Nobody is stopped for a session that cannot be had anyway.
    let mut others = plan.clone();
    others.checks.retain(|check| {
        check.port.as_ref().is_none_or(|taken| words.iter().all(|word| word.port != taken.port))
    });
    if let Some(failure) = in_the_way(&others) {
        return Err(failure);
    }
    narrator.pause();
    let mut stopped = false;
    for word in words {
        match taken.iter().find(|taken| taken.port == word.port) {
            Some(taken) => stopped |= one(taken, *word, narrator).await?,
            None => narrator.say(&format!("port {} is free already", word.port)),
        }
    }
    Ok(stopped)
}

async fn one(taken: &TakenPort, word: FreePort, narrator: &mut Narrator) -> Result<bool, Failure> {
    let mut helper = None;
    if taken.holders.iter().any(ports::needs_helper) {
        let names = ports::named(&taken.holders).unwrap_or_default();
        if !Helper::needs_no_prompt() {
            narrator.pause();
            narrator.say(&format!(
                "Port {} is held by {names}: administrator's rights are needed to stop it. The system asks for them now.",
                word.port
            ));
        }
        helper = Some(Helper::connect_or_start().await.map_err(|error| {
            let code = error.explain().code;
            let message =
                format!("port {} is held by {names}, and is not freed: {error}", word.port);
            Failure::new(code, message).with_hint(
                "nothing was stopped; map the port to another, or stop what holds it yourself",
            )
        })?);
    }
    let mut holders = match &helper {
        None => taken.holders.clone(),
        Some(helper) => look(taken, Some(helper)).await?,
    };
    if holders.is_empty() {
        let message = format!(
            "port {} is taken, and no program listens on it that could be stopped",
            word.port
        );
        return Err(Failure::new(Code::LocalPortTaken, message)
            .with_hint("a connection that comes from the port keeps it: wait for its end, or map the port to another"));
    }
    // A service of several processes ends with its first; what still listens then is stopped too, but nobody who came meanwhile.
    let consented = holders.clone();
    while let Some(holder) = holders.first() {
        let stopped = stop(holder, word, helper.as_ref()).await;
        let now = look(taken, helper.as_ref()).await?;
        match stopped {
            Ok(by) => narrator
                .say(&format!("stopped {holder} by {by}, because it held port {}", word.port)),
            // It went by itself, and nothing was sent.
            Err(StopError::Changed { .. }) if !now.iter().any(|it| it.is_same_process(holder)) => {
                narrator.say(&format!("{holder} does not hold port {} any more", word.port));
            }
            Err(error) => return Err(error.into()),
        }
        holders = now;
        let asked = |new: &&Holder| !consented.iter().any(|known| known.is_same_process(new));
        if let Some(new) = holders.iter().find(asked) {
            let message =
                format!("port {} is held by {new} now, which nobody asked to stop", word.port);
            return Err(Failure::new(Code::LocalPortTaken, message)
                .with_hint("something starts it again: stop that, or map the port to another"));
        }
    }
    Ok(true)
}

async fn stop(
    holder: &Holder,
    word: FreePort,
    helper: Option<&Helper>,
) -> Result<String, StopError> {
    match ports::stop_holder(holder, Force::Ask, helper).await {
        Err(StopError::StillRunning { holder }) if word.kill => {
            Ok(ports::stop_holder(&holder, Force::Kill, helper).await?.by)
        }
        stopped => Ok(stopped?.by),
    }
}

async fn look(taken: &TakenPort, helper: Option<&Helper>) -> Result<Vec<Holder>, Failure> {
    ports::holders(taken.address, taken.port, helper).await.map_err(|error| {
        Failure::new(
            Code::LocalPortTaken,
            format!("who holds port {} cannot be told: {error}", taken.port),
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!("8080".parse::<FreePort>().unwrap(), FreePort { port: 8080, kill: false });
        assert_eq!("80:kill".parse::<FreePort>().unwrap(), FreePort { port: 80, kill: true });
        for bad in ["", "0", "x", "80:", "80:term", "70000", "kill", "80:kill:kill"] {
            assert!(bad.parse::<FreePort>().is_err(), "{bad}");
        }
        assert_eq!("80:kill".parse::<FreePort>().unwrap().to_string(), "80:kill");
    }
}
