use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};

use towline_machine::holder::{Container, Engine, Unit, UnitScope};

use super::*;
use crate::report::Explain;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A program that listens on a port; ended at the end.
struct Listening {
    child: Child,
    port: u16,
}

impl Listening {
    fn start(before: &str) -> Self {
        let free = TcpListener::bind((LOOPBACK, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let program = format!(
            "import socket,signal,sys\n{before}\ns=socket.socket()\ns.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1)\ns.bind(('127.0.0.1',{port}))\ns.listen()\nsys.stdout.write('.')\nsys.stdout.flush()\nsignal.pause()"
        );
        let mut child =
            Command::new("python3").args(["-c", &program]).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        Self { child, port }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn holder(pid: Option<u32>, command: &str, unit: Option<Unit>) -> Holder {
    Holder {
        address: LOOPBACK,
        port: 8080,
        pid,
        started: pid.map(|_| 1),
        uid: 0,
        user: Some("root".into()),
        command: vec![command.into()],
        unit,
        container: None,
    }
}

#[test]
fn each_sort_of_holder_has_its_way() {
    let unit = Unit { name: "nginx.service".into(), scope: UnitScope::System };
    assert_eq!(way(&holder(Some(u32::MAX), "x", None)), Way::Signal);
    assert_eq!(way(&holder(Some(u32::MAX), "nginx", Some(unit.clone()))), Way::Unit { unit });
    assert_eq!(way(&holder(None, "", None)), Way::Helper);
    let never = |holder: Holder| match way(&holder) {
        Way::Never { why, .. } => why,
        other => panic!("{other:?}"),
    };
    assert!(never(holder(Some(1), "/sbin/init", None)).contains("somebody connects"));
    assert!(never(holder(Some(1), "tini", None)).contains("everything here would end"));
    assert!(never(holder(Some(std::process::id()), "x", None)).contains("this very program"));
    let service = |name: &str| Some(Unit { name: name.into(), scope: UnitScope::System });
    let containerd = holder(Some(u32::MAX), "/usr/bin/containerd", service("containerd.service"));
    assert!(never(containerd).contains("it runs containers"));
    // Whose process it is does not matter where systemd closes the socket.
    let unit = Unit { name: "ssh.socket".into(), scope: UnitScope::System };
    assert_eq!(way(&holder(Some(1), "systemd", Some(unit.clone()))), Way::Unit { unit });
}

#[test]
fn what_holds_a_port_for_a_container_is_left_and_the_container_named() {
    let instead = |holder: &Holder| match way(holder) {
        Way::Never { instead, .. } => instead,
        other => panic!("{other:?}"),
    };
    for (program, command) in [
        ("/usr/bin/docker-proxy", "docker ps --filter publish=8080"),
        ("/usr/bin/dockerd", "docker ps --filter publish=8080"),
        ("rootlessport", "podman ps"),
        ("rootlesskit", "docker ps` or `podman ps"),
    ] {
        let instead = instead(&holder(Some(u32::MAX), program, None));
        assert!(instead.contains(&format!("`{command}`")), "{program}: {instead}");
    }
    for (engine, command) in [
        (Engine::Docker, "docker stop 0123456789ab"),
        (Engine::Podman, "podman stop 0123456789ab"),
        (Engine::Nerdctl, "nerdctl stop 0123456789ab"),
        (Engine::Kubernetes, "crictl ps --id 0123456789ab"),
    ] {
        let container = Some(Container { engine, id: "0123456789ab".into() });
        let inside = Holder { container, ..holder(Some(u32::MAX), "nginx", None) };
        let instead = instead(&inside);
        assert!(instead.contains(&format!("`{command}`")), "{engine:?}: {instead}");
    }
}

#[tokio::test]
async fn a_holder_is_stopped_and_the_port_is_free() {
    let listening = Listening::start("");
    let found = holders(LOOPBACK, listening.port, None).await.unwrap();
    let stopped = stop_holder(&found[0], Force::Ask, None).await.unwrap();
    assert_eq!((stopped.by.as_str(), stopped.left), ("SIGTERM", vec![]));
    assert_eq!(stopped.holder.pid, Some(listening.child.id()));
    let again = stop_holder(&found[0], Force::Kill, None).await.unwrap_err();
    assert!(matches!(again, StopError::Changed { .. }), "{again}");
    let report = again.explain();
    assert!(report.message.contains("it has ended"), "{}", report.message);
}

#[tokio::test]
async fn what_is_not_stopped() {
    let own = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let found = holders(LOOPBACK, own.local_addr().unwrap().port(), None).await.unwrap();
    let refused = stop_holder(&found[0], Force::Kill, None).await.unwrap_err();
    assert!(matches!(refused, StopError::Never { .. }), "{refused}");
    let unseen = stop_holder(&holder(None, "", None), Force::Ask, None).await.unwrap_err();
    assert!(unseen.explain().hint.unwrap().contains("administrator"));
}

#[test]
fn a_port_that_several_need_is_one() {
    let taken = |wanted: &str, remote, holder: &Holder| TakenPort {
        address: LOOPBACK,
        port: 80,
        wanted_by: vec![wanted.into()],
        remote,
        holders: vec![holder.clone()],
    };
    let (a, b) = (holder(Some(7), "a", None), holder(Some(8), "b", None));
    let all = [
        taken("redis.shop", None, &a),
        taken("your program", Some(8080), &a),
        taken("x", None, &b),
    ];
    let merged = merged(&all);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].wanted_by, ["redis.shop", "your program", "x"]);
    assert_eq!((merged[0].remote, merged[0].holders.len()), (Some(8080), 2));
    assert_eq!(
        named(&merged[0].holders).unwrap(),
        "a (process 7, user root) and b (process 8, user root)"
    );
    assert_eq!(named(&[]), None);
}
