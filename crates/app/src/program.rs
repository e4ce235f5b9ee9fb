//! The local program of a session: started, told to end, its output read.

mod command;
mod group;
mod output;
mod runner;
mod running;

pub(crate) use self::command::{Command, CommandError, below_home};
pub(crate) use self::runner::Program;

#[cfg(test)]
mod tests;
