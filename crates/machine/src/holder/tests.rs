#![cfg(target_os = "linux")]

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use procfs::FromBufReadSI;
use procfs::net::{TcpNetEntries, TcpNetEntry};

use super::linux::in_the_way;
use super::*;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// `/proc/net/tcp` of a machine: 127.0.0.1:8080 and 127.77.1.2:80 listen, 0.0.0.0:22 listens, and a connection comes from 127.0.0.1:8081.
const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 501 1 0000000000000000 100 0 0 10 0
   1: 02014D7F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 502 1 0000000000000000 100 0 0 10 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 503 1 0000000000000000 100 0 0 10 0
   3: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 504 1 0000000000000000 20 4 30 10 -1
";

/// [::]:22, [::]:9000, [::1]:8080 and [::ffff:127.0.0.1]:7000 listen.
const TCP6: &str = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 601 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000000000000:2328 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 602 1 0000000000000000 100 0 0 10 0
   2: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 603 1 0000000000000000 100 0 0 10 0
   3: 0000000000000000FFFF00000100007F:1B58 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 604 1 0000000000000000 100 0 0 10 0
";

fn table(text: &str) -> Vec<TcpNetEntry> {
    TcpNetEntries::from_buf_read(text.as_bytes(), procfs::current_system_info()).unwrap().0
}

fn inodes(address: &str, port: u16, free: bool) -> Vec<u64> {
    let found = in_the_way(table(TCP), table(TCP6), address.parse().unwrap(), port, || free);
    found.iter().map(|entry| entry.inode).collect()
}

#[test]
fn which_listeners_are_in_the_way() {
    assert_eq!(inodes("127.0.0.1", 8080, false), [501]);
    assert_eq!(inodes("127.0.0.2", 8080, true), [0; 0], "another address of the loopback");
    assert_eq!(inodes("127.77.1.2", 80, false), [502]);
    assert_eq!(inodes("127.0.0.1", 80, true), [0; 0]);
    assert_eq!(inodes("127.0.0.1", 22, false), [503], "the wildcard; that of IPv6 is another's");
    assert_eq!(inodes("127.0.0.1", 8081, true), [0; 0], "a connection is no listener");
    assert_eq!(inodes("127.0.0.1", 9000, false), [602], "an IPv6 wildcard that takes IPv4");
    assert_eq!(inodes("127.0.0.1", 9000, true), [0; 0], "one that does not");
    assert_eq!(inodes("127.0.0.1", 7000, false), [604], "IPv4 in the dress of IPv6");
    assert_eq!(inodes("::1", 8080, false), [603]);
    assert_eq!(inodes("::1", 22, false), [601]);
    assert_eq!(inodes("0.0.0.0", 8080, false), [501]);
}

/// A program that listens; it and what it has started are ended at the end, however that comes.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        // Those that have ended already.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        drop(self.0.wait());
    }
}

fn listener(program: &str) -> (Listening, u16) {
    let free = TcpListener::bind((V4, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    // Says when it listens by its first byte.
    let program = format!(
        "import socket,signal,sys,os\ns=socket.socket()\ns.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)\ns.bind(('127.0.0.1',{port}))\ns.listen()\n{program}\nsys.stdout.write('.')\nsys.stdout.flush()\nsignal.pause()"
    );
    let mut child = Command::new("python3")
        .args(["-c", &program])
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let stdout = child.stdout.take();
    let listening = Listening(child);
    io::Read::read_exact(&mut stdout.unwrap(), &mut [0]).unwrap();
    (listening, port)
}

#[test]
fn a_real_listener_is_found_with_its_command() {
    let (child, port) = listener("");
    let holders = find(V4, port).unwrap();
    let [holder] = holders.as_slice() else { panic!("{holders:?}") };
    assert_eq!(holder.pid, Some(child.0.id()));
    assert_eq!((holder.address, holder.port), (V4, port));
    assert!(holder.command[0].ends_with("python3"), "{holder:?}");
    assert_eq!(holder.command[1], "-c");
    assert_eq!(holder.uid, nix::unistd::getuid().as_raw());
    assert!(holder.started.is_some());
    let text = holder.to_string();
    assert!(text.contains("python3 -c 'import socket"), "{text}");
    assert!(!text.contains('\n'), "{text}");
    let json = serde_json::to_string(holder).unwrap();
    assert_eq!(serde_json::from_str::<Holder>(&json).unwrap(), *holder);
    assert_eq!(find("127.0.0.9".parse().unwrap(), port).unwrap(), []);
    drop(child);
    assert_eq!(find(V4, port).unwrap(), []);
}

#[test]
fn every_process_that_shares_a_listener_is_found_the_oldest_first() {
    let (parent, port) = listener("if os.fork()==0: signal.pause()");
    let holders = find(V4, port).unwrap();
    assert_eq!(holders.first().and_then(|holder| holder.pid), Some(parent.0.id()));
    assert_eq!(holders.len(), 2, "{holders:?}");
    let child = holders[1].claim().unwrap();
    assert!(signal(&child, StopSignal::Kill).unwrap().wait(Duration::from_secs(10)).unwrap());
}

#[test]
fn a_holder_is_asked_to_end_and_then_made_to() {
    let (mut child, port) = listener("signal.signal(signal.SIGTERM, signal.SIG_IGN)");
    let claim = find(V4, port).unwrap()[0].claim().unwrap();
    let asked = signal(&claim, StopSignal::Term).unwrap();
    assert!(!asked.wait(Duration::from_millis(100)).unwrap(), "it does not listen to SIGTERM");
    let made = signal(&claim, StopSignal::Kill).unwrap();
    assert!(made.wait(Duration::from_secs(10)).unwrap());
    let Err(StopError::Changed { now, .. }) = signal(&claim, StopSignal::Term) else {
        panic!("a process that has ended was told to end")
    };
    assert_eq!(now, "it has ended");
    child.0.wait().unwrap();
    assert_eq!(find(V4, port).unwrap(), []);
}

#[test]
fn only_this_very_process_on_this_very_port_is_ended() {
    let (mut child, port) = listener("");
    let claim = find(V4, port).unwrap()[0].claim().unwrap();
    let younger = Claim { started: claim.started + 1, ..claim };
    let elsewhere =
        Claim { port: TcpListener::bind((V4, 0)).unwrap().local_addr().unwrap().port(), ..claim };
    let other = TcpListener::bind((V4, 0)).unwrap();
    let anothers = Claim { port: other.local_addr().unwrap().port(), ..claim };
    for wrong in [younger, elsewhere, anothers] {
        let refused = signal(&wrong, StopSignal::Kill);
        assert!(matches!(refused, Err(StopError::Changed { .. })), "{wrong:?}: {refused:?}");
    }
    assert!(child.0.try_wait().unwrap().is_none(), "nothing was sent");
}

#[test]
fn what_is_never_ended() {
    let own = TcpListener::bind((V4, 0)).unwrap();
    let port = own.local_addr().unwrap().port();
    let claim = find(V4, port).unwrap()[0].claim().unwrap();
    assert_eq!(claim.pid, std::process::id());
    let refused = signal(&claim, StopSignal::Term).unwrap_err();
    assert!(matches!(refused, StopError::Protected { why: Protected::Itself, .. }), "{refused}");
    assert_eq!(protected(1), Some(Protected::Init));
    let parent = std::os::unix::process::parent_id();
    assert_eq!(
        protected(parent),
        Some(if parent == 1 { Protected::Init } else { Protected::Ancestor })
    );
    assert_eq!(protected(u32::MAX), None);
}

#[test]
fn a_service_is_stopped_only_by_a_process_that_belongs_to_it() {
    let (_child, port) = listener("");
    let claim = find(V4, port).unwrap()[0].claim().unwrap();
    let unit = Unit { name: "nginx.service".into(), scope: UnitScope::System };
    let refused = stop_unit(&claim, &unit).unwrap_err();
    assert!(matches!(refused, StopError::AnotherUnit { .. }), "{refused}");
}

#[test]
fn command_lines_of_all_sorts() {
    assert_eq!(process::words(b"nginx\0-g\0daemon off;\0"), ["nginx", "-g", "daemon off;"]);
    assert_eq!(process::words(b"nginx: master process\0\0\0\0"), ["nginx: master process"]);
    assert_eq!(process::words(b"a\0\0b\0"), ["a", "", "b"]);
    assert_eq!(process::words(b"\0\0"), Vec::<String>::new());
    assert_eq!(process::words(b"\xff"), ["\u{fffd}"]);
    let holder = |command: &[&str]| Holder {
        address: V4,
        port: 80,
        pid: Some(7),
        started: Some(1),
        uid: 4_000_000_000,
        user: None,
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        unit: None,
        container: None,
    };
    assert_eq!(holder(&["a", "b c", ""]).command_line().unwrap(), "a 'b c' ''");
    assert_eq!(holder(&["a\u{1b}[2J\n"]).command_line().unwrap(), "'a\u{fffd}[2J '");
    assert_eq!(holder(&["x".repeat(500).as_str()]).command_line().unwrap().chars().count(), 160);
    assert_eq!(holder(&[]).command_line(), None);
    assert_eq!(holder(&["a"]).to_string(), "a (process 7, user 4000000000)");
    assert_eq!(
        Holder { pid: None, ..holder(&[]) }.to_string(),
        "a process that cannot be seen (user 4000000000)"
    );
    let unit = Some(Unit { name: "a.service".into(), scope: UnitScope::System });
    assert_eq!(
        Holder { unit, ..holder(&["a"]) }.to_string(),
        "a (process 7, user 4000000000, service a.service)"
    );
    let unit = Some(Unit { name: "a.socket".into(), scope: UnitScope::System });
    assert_eq!(
        Holder { unit, ..holder(&["systemd"]) }.to_string(),
        "systemd (process 7, user 4000000000, socket unit a.socket)"
    );
    let container = Some(Container { engine: Engine::Docker, id: "0123456789ab".into() });
    assert_eq!(
        Holder { container, ..holder(&["a"]) }.to_string(),
        "a (process 7, user 4000000000, container 0123456789ab)"
    );
}

#[test]
fn udp_and_ipv6_alone_are_in_nobodys_way() {
    let udp = std::net::UdpSocket::bind((V4, 0)).unwrap();
    assert_eq!(find(V4, udp.local_addr().unwrap().port()).unwrap(), []);
    let own = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let port = own.local_addr().unwrap().port();
    assert_eq!(find(V4, port).unwrap(), []);
    let holders = find(Ipv6Addr::LOCALHOST.into(), port).unwrap();
    assert_eq!(holders[0].pid, Some(std::process::id()));
    assert_eq!(holders[0].claim().unwrap().address, Ipv6Addr::LOCALHOST);
}

#[test]
fn the_same_process_by_another_name_is_the_same() {
    let own = TcpListener::bind((V4, 0)).unwrap();
    let holder = find(V4, own.local_addr().unwrap().port()).unwrap().remove(0);
    let renamed = Holder { command: vec!["worker: idle".into()], ..holder.clone() };
    assert!(renamed.is_same_process(&holder));
    let another = Holder { started: Some(0), ..holder.clone() };
    assert!(!another.is_same_process(&holder));
}
