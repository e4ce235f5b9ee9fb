//! What the tests of the desktop application share: a desktop under a virtual display, the application on it, its window by WebDriver, and a host for
//! its tray icon.
//!
//! `cargo xtask test desktop` brings up what they need, and sets, besides what `tests/cluster` reads:
//!
//! - `TOWLINE_TEST_APP`: the `towline-app` binary under test.
//! - `TOWLINE_TEST_DRIVER`: the `tauri-driver` binary.
//! - `TOWLINE_TEST_SCREENSHOTS`: where pictures of the window are kept.

pub mod application;
pub mod desktop;
mod gate;
mod ground;
pub mod kubeconfig;
pub mod notifications;
pub mod own_machine;
pub mod process;
pub mod relay;
pub mod steps;
pub mod tray;
pub mod window;
