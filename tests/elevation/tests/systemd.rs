//! Ports that systemd's units hold: services that come back when their process ends, sockets that a service manager holds for services that do not run, each
//! of the system and of users. They are stopped by the service manager whose they are, and no service manager is ever harmed.

use anyhow::Result;
use towline_elevation_tests::{ALICE, BOB, Program, Systemd, until};

const HERE: &str = "127.0.0.1";

/// Frees the port, and sees that it is free.
fn free(machine: &Systemd, who: &mut Program, port: u16, by: &str) -> Result<()> {
    assert_eq!(who.ask(&format!("free {HERE} {port}"))?, by);
    assert!(!machine.listens(port)?, "port {port} is still held");
    Ok(())
}

/// Somebody who is not on the machine's list of administrators: the helper has the right.
#[test]
fn a_service_that_comes_back_is_stopped_by_its_service_manager() -> Result<()> {
    let machine = Systemd::new()?;
    machine.start(None, "web.service", 8001)?;
    // By a signal alone, it is there again.
    let first = machine.main_process("web.service")?;
    machine.signal("TERM", first)?;
    until("it has come back", || {
        let now = machine.main_process("web.service")?;
        Ok(now != first && now != 0 && machine.listens(8001)?)
    })?;

    let mut alice = machine.program(ALICE)?;
    let alone = alice.ask(&format!("who {HERE} 8001"))?;
    assert_eq!(alone, "a process that cannot be seen (user bob)");
    let refused = alice.ask(&format!("free {HERE} 8001"))?;
    assert!(refused.contains("only the administrator sees which process it is"), "{refused}");
    // Bob sees it, and may not stop it: it is the system's.
    let mut bob = machine.program(BOB)?;
    let seen = bob.ask(&format!("who {HERE} 8001"))?;
    assert!(seen.contains("python3") && seen.contains("service web.service"), "{seen}");
    let refused = bob.ask(&format!("free {HERE} 8001"))?;
    assert!(refused.contains("systemctl cannot stop web.service: "), "{refused}");
    assert!(machine.listens(8001)?);

    alice.order("connect")?;
    let seen = alice.ask(&format!("who {HERE} 8001"))?;
    assert!(seen.contains("user bob, service web.service)"), "{seen}");
    free(&machine, &mut alice, 8001, "systemctl stop web.service")?;
    assert_eq!(machine.main_process("web.service")?, 0);
    let state = machine.systemctl(None, &["show", "--value", "--property=ActiveState", "web"])?;
    assert_eq!(state, "inactive", "nothing is left to do that would start it");
    Ok(())
}

/// Users' own units: one's own without any rights, another's by the helper.
#[test]
fn units_of_users_are_stopped_by_their_own_service_managers() -> Result<()> {
    let machine = Systemd::new()?;
    machine.start(Some(ALICE), "own.service", 8002)?;
    machine.start(Some(BOB), "others.service", 8003)?;
    machine.start(Some(ALICE), "echo.socket", 8006)?;
    let mut alice = machine.program(ALICE)?;
    let seen = alice.ask(&format!("who {HERE} 8002"))?;
    assert!(seen.contains("user alice, service own.service)"), "{seen}");
    free(&machine, &mut alice, 8002, "systemctl stop own.service")?;
    // Her own service manager holds this one. It closes the socket, and goes on.
    let seen = alice.ask(&format!("who {HERE} 8006"))?;
    assert!(seen.contains("systemd --user") && seen.contains("socket unit echo.socket"), "{seen}");
    free(&machine, &mut alice, 8006, "systemctl stop echo.socket")?;
    machine.systemctl(Some(ALICE), &["is-active", "default.target"])?;

    alice.order("connect")?;
    let seen = alice.ask(&format!("who {HERE} 8003"))?;
    assert!(seen.contains("user bob, service others.service)"), "{seen}");
    free(&machine, &mut alice, 8003, "systemctl stop others.service")?;
    machine.systemctl(Some(BOB), &["is-active", "default.target"])?;
    Ok(())
}

/// Process 1 holds the port of a socket unit; once somebody has connected, the service does, too.
#[test]
fn a_socket_unit_is_stopped_and_process_1_goes_on() -> Result<()> {
    let machine = Systemd::new()?;
    let mut alice = machine.program(ALICE)?;
    alice.order("connect")?;
    for port in [8004, 8005] {
        machine.start(None, "echo.socket", port)?;
        let seen = alice.ask(&format!("who {HERE} {port}"))?;
        assert!(seen.contains("systemd") && seen.contains("process 1, "), "{seen}");
        assert!(seen.contains("user root, socket unit echo.socket)"), "{seen}");
        // Not by a signal, whoever asks.
        let refused = alice.ask(&format!("stop {HERE} {port} kill"))?;
        assert!(refused.contains("process 1 is not ended: it is the system's first"), "{refused}");
        free(&machine, &mut alice, port, "systemctl stop echo.socket")?;
    }

    machine.start(None, "echo.socket", 8004)?;
    machine.knock(8004)?;
    until("the service runs", || Ok(machine.main_process("echo.service")? != 0))?;
    free(&machine, &mut alice, 8004, "systemctl stop echo.socket, systemctl stop echo.service")?;
    assert_eq!(machine.main_process("echo.service")?, 0);
    machine.systemctl(None, &["is-active", "towline-test.target"])?;
    Ok(())
}
