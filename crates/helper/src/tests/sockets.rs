use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU16;

use towline_machine::LoopbackAddress;
use towline_machine::holder::{Claim, StopSignal};

use super::*;
use crate::client::HelperError;
use crate::protocol::RefusalCode;

/// A port that is free now.
fn free(address: &str) -> (LoopbackAddress, NonZeroU16) {
    let port = TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port();
    (address.parse().unwrap(), NonZeroU16::new(port).unwrap())
}

#[tokio::test]
async fn a_socket_comes_listening_and_stays_when_the_helper_goes() {
    let mut stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let (address, port) = free("127.77.200.1");
    // Several at once: each gets its own.
    let (other, other_port) = free("127.77.200.2");
    let (one, two) = tokio::join!(helper.listen(address, port), helper.listen(other, other_port));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.local_addr().unwrap(), SocketAddr::new(address.ip(), port.get()));
    assert_eq!(two.local_addr().unwrap(), SocketAddr::new(other.ip(), other_port.get()));
    stage.end().await.unwrap();
    let one = tokio::net::TcpListener::from_std(one).unwrap();
    let (connected, accepted) =
        tokio::join!(tokio::net::TcpStream::connect(one.local_addr().unwrap()), one.accept());
    accepted.unwrap().0.write_all(b"hello").await.unwrap();
    let mut said = String::new();
    connected.unwrap().read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "hello");
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_and_its_holder_told() {
    let stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let (address, port) = free("127.77.200.3");
    let taken = helper.listen(address, port).await.unwrap();
    let again = helper.listen(address, port).await;
    assert!(matches!(again, Err(HelperError::PortTaken { port: of, .. }) if of == port.get()));
    let holders = helper.holder(address, port).await.unwrap();
    let [holder] = &holders[..] else { panic!("{holders:?}") };
    assert_eq!(holder.pid, Some(std::process::id()));
    // Never the helper itself, nor somebody who only had the number before.
    let claim = holder.claim().unwrap();
    let stopped = helper.stop_holder(claim, StopSignal::Term).await;
    let Err(HelperError::Refused(refusal)) = stopped else { panic!("{stopped:?}") };
    assert_eq!(refusal.code, RefusalCode::Protected);
    drop(taken);
    let (address, port) = free("127.77.200.4");
    assert_eq!(helper.holder(address, port).await.unwrap(), []);
}

#[tokio::test]
async fn only_the_very_process_that_holds_the_port_is_stopped() {
    let stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let (address, port) = free("127.77.200.5");
    let script = format!(
        "import socket; s = socket.create_server(('{address}', {port})); print('ready', flush=True); s.accept()"
    );
    let mut child = tokio::process::Command::new("python3")
        .args(["-c", &script])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    child.stdout.take().unwrap().read_exact(&mut ready).await.unwrap();
    let holders = helper.holder(address, port).await.unwrap();
    let claim = holders[0].claim().unwrap();
    for wrong in [
        Claim { started: claim.started + 1, ..claim },
        Claim { port: if claim.port == 1 { 2 } else { claim.port - 1 }, ..claim },
    ] {
        let stopped = helper.stop_holder(wrong, StopSignal::Kill).await;
        let Err(HelperError::Refused(refusal)) = stopped else { panic!("{stopped:?}") };
        assert_eq!(refusal.code, RefusalCode::Changed, "{refusal}");
    }
    assert!(child.try_wait().unwrap().is_none());
    assert!(helper.stop_holder(claim, StopSignal::Term).await.unwrap());
    child.wait().await.unwrap();
    helper.listen(address, port).await.unwrap();
}
