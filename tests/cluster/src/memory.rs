//! What a process takes of this machine's memory.

use anyhow::{Context, Result};
use procfs::process::Process;

/// What a process has in memory, in megabytes (10⁶ bytes).
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Everything that is resident, also what other processes have resident too, such as the system's libraries.
    pub resident: f64,
    /// As before, but what n processes share counts an n-th.
    pub proportional: f64,
    /// What it has written itself: heap, stacks, relocations. Cannot be had again from a file.
    pub written: f64,
}

impl Memory {
    /// Of one process: the sums that the kernel makes (proc_pid_smaps(5)).
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of(id: u32) -> Result<Self> {
        let sums = Process::new(i32::try_from(id)?)
            .and_then(|process| process.smaps_rollup())
            .with_context(|| format!("read what process {id} has in memory"))?;
        let sums = sums.memory_map_rollup.into_iter().next().context("sums of the memory")?;
        let bytes = sums.extension.map;
        let field = |name: &str| {
            let bytes = bytes.get(name).with_context(|| format!("{name} of process {id}"))?;
            anyhow::Ok(*bytes as f64 / 1e6)
        };
        Ok(Self {
            resident: field("Rss")?,
            proportional: field("Pss")?,
            written: field("Private_Dirty")?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(memory.resident >= memory.proportional && memory.proportional >= memory.written);
        assert!(memory.written > 0.0);
        assert!(Memory::of(u32::MAX).is_err());
    }
}
