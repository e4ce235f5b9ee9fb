//! polkit says no, or cannot say anything; or the machine does not let the superuser either.

use anyhow::Result;
use towline_elevation_tests::{ALICE, Kind, Machine, PASSWORD, Polkit, Program, ROOT};

const ONE: &str = "00000000000a";

/// A machine without polkit, on which a program of root's has a helper; and its hosts file before.
fn roots(kind: Kind) -> Result<(Machine, Program, String)> {
    let machine = Machine::new(kind, Polkit::Absent)?;
    let before = machine.hosts()?;
    let mut root = machine.program(ROOT)?;
    root.order("connect")?;
    Ok((machine, root, before))
}

#[test]
fn a_refusal_is_no_fault_and_changes_nothing() -> Result<()> {
    let machine = Machine::new(Kind::File, Polkit::Refuses)?;
    let before = machine.hosts()?;
    let mut alice = machine.program(ALICE)?;
    let said = alice.ask("connect")?;
    assert_eq!(said, "error NotGranted: administrator rights were not granted");
    assert_eq!(machine.hosts()?, before);
    assert!(!machine.output("test", &["-e", "/run/towline"])?.status.success());
    Ok(())
}

#[test]
fn nobody_who_could_ask_is_told_apart() -> Result<()> {
    let machine = Machine::new(Kind::File, Polkit::Asks)?;
    let said = machine.program(ALICE)?.ask("connect")?;
    assert!(
        said.starts_with("error NoPrompt: ") && said.contains("no authentication agent"),
        "{said}"
    );
    Ok(())
}

/// Without a desktop, the terminal asks.
#[test]
fn a_password_in_the_terminal_grants_or_refuses() -> Result<()> {
    let machine = Machine::new(Kind::File, Polkit::Asks)?;
    let said = machine.in_terminal(ALICE, "connect", PASSWORD)?;
    assert!(said.trim_end().ends_with("ok"), "{said}");
    machine.until_gone(&format!("/run/towline/{ALICE}"))?;
    let said = machine.in_terminal(ALICE, "connect", "wrong")?;
    assert!(said.contains("error NotGranted: administrator rights were not granted"), "{said}");
    Ok(())
}

#[test]
fn without_polkit_there_is_no_prompt() -> Result<()> {
    let machine = Machine::new(Kind::File, Polkit::Absent)?;
    let said = machine.program(ALICE)?.ask("connect")?;
    assert!(said.starts_with("error NoPrompt: ") && said.contains("authority"), "{said}");
    Ok(())
}

/// Root needs nobody's consent, and its helper outlives the Ctrl-C that ends the program in the terminal until everything is undone.
#[test]
fn root_starts_it_directly() -> Result<()> {
    let (machine, mut root, before) = roots(Kind::File)?;
    root.order(&format!("hosts {ONE} 127.77.1.2 catalogue"))?;
    let helper = machine.helper_of(ONE)?;
    let group = |pid: u32| machine.read("ps", &["-o", "pgid=", "-p", &pid.to_string()]);
    assert_ne!(group(helper)?, group(root.pid)?);
    machine.signal("KILL", root.pid)?;
    machine.until_hosts(&before)?;
    Ok(())
}

#[test]
fn a_file_that_cannot_be_changed_is_refused() -> Result<()> {
    let (machine, mut root, before) = roots(Kind::File)?;
    let hosts = format!("hosts {ONE} 127.77.1.2 catalogue");
    machine.read("mount", &["-o", "remount,bind,ro", "/etc"])?;
    let said = root.ask(&hosts)?;
    assert!(said.contains("cannot be changed: Read-only file system"), "{said}");
    machine.read("mount", &["-o", "remount,bind,rw", "/etc"])?;
    machine.read("mv", &["/etc/hosts", "/etc/hosts.real"])?;
    assert!(root.ask(&hosts)?.contains("there is no hosts file /etc/hosts"));
    machine.read("ln", &["-s", "hosts.real", "/etc/hosts"])?;
    assert!(root.ask(&hosts)?.contains("/etc/hosts is a symbolic link"));
    machine.read("rm", &["/etc/hosts"])?;
    machine.read("mv", &["/etc/hosts.real", "/etc/hosts"])?;
    assert_eq!(machine.hosts()?, before);
    root.order(&hosts)?;
    root.order(&format!("clear {ONE}"))?;
    assert_eq!(machine.hosts()?, before);
    Ok(())
}

/// In place, nothing of the file is lost when the disk is full, and lines can still be removed.
#[test]
fn a_full_disk_is_refused_and_loses_nothing() -> Result<()> {
    let (machine, mut root, before) = roots(Kind::MountOnSmallDisk)?;
    root.order(&format!("hosts {ONE} 127.77.1.2 catalogue"))?;
    let with = machine.hosts()?;
    let said = root.ask(&format!("many {ONE} 1000"))?;
    assert!(said.contains("there is no room to change the hosts file"), "{said}");
    assert_eq!(machine.hosts()?, with);
    root.order(&format!("clear {ONE}"))?;
    assert_eq!(machine.hosts()?, before);
    Ok(())
}
