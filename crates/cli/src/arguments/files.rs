//! Options of `towline files`.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::{Format, OutputArguments};

const HELP: &str = "\
Config maps, secrets, projected volumes and the downward API are on this machine while a session runs, and stay as they are in the pod. Claims, empty \
directories and other volumes can be large: they are copied when you ask for it, and written back when you ask for it.

Paths are the container's own (/data/reports), or those of the copies here ($TOWLINE_ROOT/data/reports).

Examples:
  towline files list                          the volumes, and how much is in them
  towline files list /data                    what is in a volume, in the pod
  towline files get /data/reports             copy a directory of it
  towline files put /data/reports/new.csv     write a file back into the pod";

const POD: &str = "Take the volume's files from this pod from now on [default: the first of the session's pods, by name]";

/// `towline files`.
#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(crate) enum FilesCommand {
    /// List the volumes of a running session, or what is in one
    List(ListFilesArguments),
    /// Copy files of a volume from the pod to this machine
    Get(GetFilesArguments),
    /// Write files of a volume back from this machine into the pod
    Put(PutFilesArguments),
}

impl FilesCommand {
    pub(crate) fn format(&self) -> Format {
        match self {
            Self::List(arguments) => arguments.output.output,
            Self::Get(arguments) => arguments.output.output,
            Self::Put(arguments) => arguments.output.output,
        }
    }
}

/// Which session.
#[derive(Debug, Args)]
pub(crate) struct WhichSession {
    /// Which session, where you have several: its id or the beginning of it, NAME or KIND/NAME of its workload
    #[arg(short, long, value_name = "SESSION")]
    pub(crate) session: Option<String>,
}

/// `towline files list`.
#[derive(Debug, Args)]
pub(crate) struct ListFilesArguments {
    /// A directory of a volume [default: all volumes]
    pub(crate) path: Option<OsString>,
    #[arg(long, value_name = "POD", requires = "path", help = POD)]
    pub(crate) pod: Option<String>,
    #[command(flatten)]
    pub(crate) which: WhichSession,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `towline files get`.
#[derive(Debug, Args)]
pub(crate) struct GetFilesArguments {
    /// Volumes, or files and directories in them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,
    /// Copy nothing when there is more than this, such as 500MiB or 20GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    pub(crate) limit: u64,
    /// Copy nothing when there are more files, directories and links than this
    #[arg(long, value_name = "NUMBER", default_value_t = towline_core::volumes::DEFAULT_LIMIT.entries)]
    pub(crate) most_files: u64,
    #[arg(long, value_name = "POD", help = POD)]
    pub(crate) pod: Option<String>,
    #[command(flatten)]
    pub(crate) which: WhichSession,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `towline files put`.
#[derive(Debug, Args)]
pub(crate) struct PutFilesArguments {
    /// Files in volumes; of a directory, those that are new or were changed here
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<OsString>,
    /// Also overwrite what changed in the pod since it was copied, or was never copied
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) which: WhichSession,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `1048576`, `512KiB`, `500MiB`, `20GiB`, `1TiB`; `K`, `M`, `G`, `T` mean the same.
fn size(text: &str) -> Result<u64, String> {
    let invalid = || format!("'{text}' is not a size such as 500MiB or 20GiB");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| invalid())?;
    let shift = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" | "ki" => 10,
        "m" | "mib" | "mi" => 20,
        "g" | "gib" | "gi" => 30,
        "t" | "tib" | "ti" => 40,
        _ => return Err(invalid()),
    };
    number.checked_mul(1 << shift).ok_or_else(invalid)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", 0), ("10", 10), ("1GiB", 1 << 30), ("2 m", 2 << 20), ("3ki", 3072)]
        {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for bad in ["", "GiB", "-1", "1.5GiB", "1XB", "99999999999TiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
