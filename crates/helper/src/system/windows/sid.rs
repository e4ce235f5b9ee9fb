//! Users as Windows numbers them.

use std::fmt;
use std::io;
use std::str::FromStr;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// A security identifier in its text form (MS-DTYP 2.4.2.1), such as `S-1-5-21-1004336348-1177238915-682003330-1001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sid(String);

/// The text is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the security identifier of a user")]
pub struct InvalidSid(String);

/// The operating system's own.
const LOCAL_SYSTEM: &str = "S-1-5-18";

/// The most sub-authorities that there are (winnt.h, `SID_MAX_SUB_AUTHORITIES`), with the authority before them.
const MOST_NUMBERS: usize = 16;

impl Sid {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last number, which tells the users of a machine or a domain apart.
    pub fn relative(&self) -> u32 {
        self.0.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
    }

    /// Whether it is the operating system's.
    pub(super) fn is_system(&self) -> bool {
        self.0 == LOCAL_SYSTEM
    }

    /// Whose process that is.
    pub(super) fn of_process(pid: u32) -> io::Result<Self> {
        let pid = Pid::from_u32(pid);
        let mut system = System::new().map_err(|error| io::Error::other(error.to_string()))?;
        let what = ProcessRefreshKind::nothing().with_user(UpdateKind::Always);
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        let user = system.process(pid).and_then(sysinfo::Process::user_id);
        let user = user.ok_or_else(|| {
            io::Error::other(format!("Windows does not tell whose process {pid} is"))
        })?;
        user.to_string().parse().map_err(io::Error::other)
    }
}

impl FromStr for Sid {
    type Err = InvalidSid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidSid(text.to_owned());
        let numbers = text.strip_prefix("S-1-").ok_or_else(invalid)?.split('-');
        let is_number = |number: &str| {
            number.bytes().all(|byte| byte.is_ascii_digit()) && number.parse::<u32>().is_ok()
        };
        let count = numbers.clone().count();
        if (2..=MOST_NUMBERS).contains(&count) && numbers.clone().all(is_number) {
            return Ok(Self(text.to_owned()));
        }
        Err(invalid())
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
