//! Whatever is wrong is told: what, why, and what to do next. The exit status says of which sort it is, and nothing has been changed.

mod access;
mod cluster;
mod targets;
