//! polkit says yes.

use anyhow::{Context, Result};
use towline_elevation_tests::{ALICE, BOB, Kind, Machine, Polkit, Program, mode_and_owner, until};

const ONE: &str = "00000000000a";
const TWO: &str = "00000000000b";

/// A machine on which a program of hers has a helper.
fn hers(kind: Kind) -> Result<(Machine, Program)> {
    let machine = Machine::new(kind, Polkit::Grants)?;
    let mut alice = machine.program(ALICE)?;
    alice.order("connect")?;
    Ok((machine, alice))
}

/// One name, in session [`ONE`].
fn name_catalogue(alice: &mut Program) -> Result<()> {
    alice.order(&format!("hosts {ONE} 127.77.1.2 catalogue"))
}

/// The whole of it: a user without rights gets names and a port below 1024, all programs of the machine see them, and a kill -9 leaves nothing.
fn names_and_ports(kind: Kind) -> Result<()> {
    let machine = Machine::new(kind, Polkit::Grants)?;
    let before = machine.hosts()?;
    let looks = mode_and_owner(&machine.hosts_path())?;
    let mut alice = machine.program(ALICE)?;
    assert_eq!(alice.ask("connect-only")?, "none", "nothing is started unasked");
    alice.order("connect")?;
    let directory = format!("/run/towline/{ALICE}");
    assert_eq!(machine.read("stat", &["-c", "%a %u %F", &directory])?, "700 4001 directory");
    assert_eq!(machine.read("stat", &["-c", "%a %u %F", "/run/towline"])?, "755 0 directory");
    alice.order(&format!("hosts {ONE} 127.77.1.2 catalogue,catalogue.shop 127.77.1.3 orders"))?;
    alice.order("listen 127.77.1.2 80")?;
    // Another user's program, which knows nothing of Towline.
    assert_eq!(machine.program(BOB)?.ask("fetch catalogue.shop 80")?, "hello");
    assert_eq!(
        machine.read("getent", &["ahosts", "orders"])?.split(' ').next(),
        Some("127.77.1.3")
    );
    assert!(machine.hosts()?.starts_with(&before), "everybody else's lines come first");
    assert_eq!(mode_and_owner(&machine.hosts_path())?, looks);
    // A change, and then the kill.
    name_catalogue(&mut alice)?;
    assert!(!machine.hosts()?.contains("orders"));
    let helper = machine.helper_of(ONE)?;
    machine.signal("KILL", alice.pid)?;
    machine.until_hosts(&before)?;
    assert_eq!(mode_and_owner(&machine.hosts_path())?, looks);
    // The helper ends when nobody has spoken to it for a while, and so does its place.
    machine.until_gone(&format!("/proc/{helper}/exe"))?;
    machine.until_gone(&directory)?;
    assert_eq!(machine.read("ls", &["-A", "/run/towline"])?, "hosts.lock");
    Ok(())
}

#[test]
fn names_and_ports_where_the_hosts_file_is_a_file() -> Result<()> {
    names_and_ports(Kind::File)
}

#[test]
fn names_and_ports_where_the_hosts_file_is_a_mount() -> Result<()> {
    names_and_ports(Kind::Mount)
}

/// What kill -9 of the helper leaves is known as stale without any rights, and goes with the next start.
#[test]
fn a_helper_that_was_killed_is_cleaned_up_after() -> Result<()> {
    for kind in [Kind::File, Kind::Mount] {
        let (machine, mut alice) = hers(kind)?;
        let before = machine.hosts()?;
        name_catalogue(&mut alice)?;
        alice.order("listen 127.77.1.2 80")?;
        assert_eq!(machine.program(BOB)?.ask("look")?, "0 of 1 stale");
        machine.signal("KILL", machine.helper_of(ONE)?)?;
        assert!(alice.ask("gone")?.contains("the helper is gone"));
        assert_eq!(machine.program(BOB)?.ask("look")?, "1 of 1 stale");
        // The socket is the program's own.
        assert_eq!(machine.program(BOB)?.ask("fetch catalogue 80")?, "hello");
        // Anybody's next helper does it.
        let mut bob = machine.program(BOB)?;
        bob.order("connect")?;
        assert_eq!(machine.hosts()?, before);
        machine.until_gone(&format!("/run/towline/{ALICE}"))?;
        // And she goes on.
        alice.order("connect")?;
        alice.order("listen 127.77.1.4 80")?;
    }
    Ok(())
}

/// One helper serves all programs of the user. It does not go with the program that it was started by.
#[test]
fn programs_share_the_helper_and_users_do_not() -> Result<()> {
    let machine = Machine::new(Kind::File, Polkit::Grants)?;
    let before = machine.hosts()?;
    let (mut first, mut second) = (machine.program(ALICE)?, machine.program(ALICE)?);
    // Both at once: one of the two helpers makes way.
    first.tell("connect")?;
    second.tell("connect")?;
    assert_eq!((first.hear()?, second.hear()?), ("ok".to_owned(), "ok".to_owned()));
    first.order(&format!("hosts {ONE} 127.77.1.2 catalogue"))?;
    second.order(&format!("hosts {TWO} 127.77.1.3 orders"))?;
    assert_eq!(machine.helper_of(ONE)?, machine.helper_of(TWO)?);
    let mut bob = machine.program(BOB)?;
    bob.order("connect")?;
    bob.order("hosts 00000000000c 127.77.1.4 cart")?;
    assert_ne!(machine.helper_of("00000000000c")?, machine.helper_of(ONE)?);
    machine.signal("KILL", first.pid)?;
    until("the first program's lines are gone", || Ok(!machine.hosts()?.contains(ONE)))?;
    assert!(machine.hosts()?.contains("orders") && machine.hosts()?.contains("cart"));
    second.order("listen 127.77.1.3 80")?;
    machine.signal("KILL", second.pid)?;
    until("the second's, too", || Ok(!machine.hosts()?.contains(TWO)))?;
    assert!(machine.hosts()?.contains("cart"));
    bob.order("clear 00000000000c")?;
    assert_eq!(machine.hosts()?, before);
    Ok(())
}

#[test]
fn a_helper_that_is_told_to_end_undoes_everything() -> Result<()> {
    for signal in ["TERM", "INT"] {
        let (machine, mut alice) = hers(Kind::File)?;
        let before = machine.hosts()?;
        name_catalogue(&mut alice)?;
        let helper = machine.helper_of(ONE)?;
        // The end of a terminal is none of its business.
        machine.signal("HUP", helper)?;
        alice.order(&format!("hosts {ONE} 127.77.1.2 catalogue,orders"))?;
        machine.signal(signal, helper)?;
        assert_eq!(alice.ask("gone")?, "the helper is gone: the helper was told to end");
        machine.until_hosts(&before)?;
        machine.until_gone(&format!("/run/towline/{ALICE}"))?;
    }
    Ok(())
}

#[test]
fn another_user_is_kept_out() -> Result<()> {
    let (machine, mut alice) = hers(Kind::File)?;
    name_catalogue(&mut alice)?;
    let with = machine.hosts()?;
    let socket = format!("/run/towline/{ALICE}/helper.sock");
    let mut bob = machine.program(BOB)?;
    assert_eq!(bob.ask(&format!("raw {socket} x"))?, "error PermissionDenied");
    // Even where she opens the door.
    machine.read("chmod", &["755", &format!("/run/towline/{ALICE}")])?;
    let said = bob.ask(&format!("raw {socket} x"))?;
    assert!(said.contains("this is the helper of user 4001, and user 4002 spoke"), "{said}");
    // A socket in her own helper's place is not taken for it.
    let rename = format!(
        "mv {socket} {socket}.old && exec python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind(\"{socket}\"); s.listen(); print(\"ready\", flush=True); s.accept()'"
    );
    let mut impostor = machine
        .inside("setpriv")
        .args(["--reuid", "4001", "--regid", "4001", "--clear-groups", "sh", "-c", &rename])
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    let mut ready = [0; 6];
    std::io::Read::read_exact(impostor.stdout.as_mut().context("kept")?, &mut ready)?;
    let said = machine.program(ALICE)?.ask("connect-only")?;
    assert!(said.starts_with("error Impostor: ") && said.contains("user 4001"), "{said}");
    impostor.wait()?;
    assert_eq!(machine.hosts()?, with);
    Ok(())
}

/// What the protocol does not allow is refused by the real helper too; `crates/helper/src/tests` has many more.
#[test]
fn garbage_and_another_version_are_refused() -> Result<()> {
    let (machine, mut alice) = hers(Kind::File)?;
    name_catalogue(&mut alice)?;
    let with = machine.hosts()?;
    let socket = format!("/run/towline/{ALICE}/helper.sock");
    let mut other = machine.program(ALICE)?;
    let said = other.ask(&format!("raw {socket} GET/HTTP/1.1"))?;
    assert!(said.contains("at most 1048576 are allowed"), "{said}");
    let hello = "\0\0\0\x1e{\"protocol\":999,\"release\":\"9\"}";
    assert_eq!(hello.len(), 4 + 0x1e);
    let said = other.ask(&format!("raw {socket} {hello}"))?;
    let own = towline_helper::protocol::PROTOCOL;
    assert!(
        said.ends_with(&format!(
            "{{\"welcome\":{{\"protocol\":{own},\"release\":\"{}\"}}}}",
            env!("CARGO_PKG_VERSION")
        )),
        "{said}"
    );
    let error = alice.ask(&format!("hosts {TWO} 10.0.0.1 x"))?;
    assert!(error.contains("is not an address of the loopback"), "{error}");
    assert_eq!(machine.hosts()?, with);
    // By hand, it does nothing.
    let run = |arguments: &[&str]| -> Result<String> {
        let output =
            machine.inside(machine.bin().join("towline-helper")).args(arguments).output()?;
        assert_eq!(output.status.code(), Some(2));
        Ok(String::from_utf8(output.stderr)?)
    };
    assert!(run(&[])?.contains("nothing to do by hand"));
    assert!(run(&["serve", "/etc/passwd"])?.contains("nothing to do by hand"));
    Ok(())
}

/// A process of another user that holds a port is shown and stopped; only the helper can.
#[test]
fn another_users_port_is_freed() -> Result<()> {
    let (machine, mut alice) = hers(Kind::File)?;
    let mut bob = machine.program(BOB)?;
    bob.order("bind 127.77.9.9 8080")?;
    let holder = alice.ask("holder 127.77.9.9 8080")?;
    assert!(
        holder.contains("towline-elevation-probe (process ") && holder.contains("user bob"),
        "{holder}"
    );
    assert!(alice.ask("listen 127.77.9.9 8080")?.starts_with("error PortTaken: "));
    assert_eq!(alice.ask("stop 127.77.9.9 8080 term")?, "ended true");
    assert!(bob.ask("fetch 127.77.9.9 8080").is_err(), "bob's program has ended");
    alice.order("listen 127.77.9.9 8080")
}
