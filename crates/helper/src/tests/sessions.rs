use std::os::unix::fs::PermissionsExt;

use towline_machine::hosts_file::{self, HostsFile, Owner};

use super::*;
use crate::client::HelperError;
use crate::protocol::RefusalCode;
use crate::server::limits;

const ONE: &str = "00000000000a";
const TWO: &str = "00000000000b";

#[tokio::test]
async fn a_session_has_its_lines_until_it_ends() {
    let mut stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let one = helper.session(session(ONE));
    one.set_hosts(vec![entry("127.77.0.1", &["catalogue", "catalogue.shop"])]).await.unwrap();
    let file = HostsFile::look_at(&stage.setup.hosts).unwrap();
    let owner = Owner::own(stage.setup.place.uid).unwrap();
    assert_eq!(file.blocks[0].owner, Some(owner));
    assert!(file.blocks[0].whole && !file.blocks[0].is_stale());
    // Another of the same program, and then a change of the first.
    let two = helper.session(session(TWO));
    two.set_hosts(vec![entry("127.77.0.2", &["orders"])]).await.unwrap();
    one.set_hosts(vec![entry("127.77.0.3", &["cart"])]).await.unwrap();
    assert!(stage.file().contains("127.77.0.3 cart") && !stage.file().contains("catalogue"));
    one.clear().await.unwrap();
    assert!(!stage.file().contains(ONE) && stage.file().contains("127.77.0.2 orders"));
    // Dropped without a word.
    drop(two);
    stage.until_restored(BEFORE).await;
    helper.session(session(TWO)).clear().await.unwrap();
    stage.end().await.unwrap();
    assert!(!stage.setup.place.directory().exists());
}

#[tokio::test]
async fn a_program_that_goes_leaves_nothing_and_another_keeps_its_own() {
    let stage = Stage::start(BEFORE).await;
    let (one, two) = (stage.client().await, stage.client().await);
    let first = one.session(session(ONE));
    first.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap();
    let only_one = stage.file();
    let second = two.session(session(TWO));
    second.set_hosts(vec![entry("127.77.0.2", &["y"])]).await.unwrap();
    // Not by asking, as when it is killed.
    std::mem::forget(second);
    let taken = two.session(session(ONE)).set_hosts(vec![entry("127.77.0.9", &["z"])]).await;
    assert!(matches!(
        taken,
        Err(HelperError::Refused(Refusal { code: RefusalCode::SessionTaken, .. }))
    ));
    let mut raw = stage.raw().await;
    raw.greet().await;
    let hosts = crate::protocol::Request::Hosts {
        session: session("00000000000c"),
        entries: vec![entry("127.77.0.3", &["z"])],
    };
    raw.send(&frame::encode(&crate::protocol::Call { id: 7, request: hosts }).unwrap()).await;
    assert_eq!(raw.next::<Reply>().await.unwrap().id, Some(7));
    assert!(stage.file().contains("127.77.0.3 z"));
    drop(raw);
    drop(one.clone());
    drop(first);
    while stage.file().contains("00000000000c") || stage.file().contains(ONE) {
        tokio::task::yield_now().await;
    }
    assert!(stage.file().contains("127.77.0.2 y"));
    assert!(only_one.contains("127.77.0.1 x"));
}

#[tokio::test]
async fn a_helper_that_is_told_to_end_undoes_and_says_so() {
    let mut stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let one = helper.session(session(ONE));
    one.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap();
    stage.end().await.unwrap();
    assert_eq!(stage.file(), BEFORE);
    let HelperError::Gone { reason } = helper.gone().await else { panic!("it is gone") };
    assert_eq!(reason, "the helper was told to end");
    assert!(helper.is_gone());
    assert!(matches!(one.set_hosts(Vec::new()).await, Err(HelperError::Gone { .. })));
    let after = Helper::connect_at(&stage.setup.place).await.unwrap();
    assert!(after.is_none());
}

#[tokio::test]
async fn a_helper_cleans_what_another_left_that_was_killed() {
    let mut stage = Stage::new(BEFORE);
    let mut dead = Owner::own(1234).unwrap();
    dead.helper.started += 1;
    let alive = Owner::own(4321).unwrap();
    let entries = [entry("127.77.0.1", &["x"])];
    let with_alive = hosts_file::apply(BEFORE.as_bytes(), &session(TWO), &alive, &entries);
    let with_both = hosts_file::apply(&with_alive, &session(ONE), &dead, &entries);
    fs::write(&stage.setup.hosts, with_both).unwrap();
    // Its place, with whatever the user has put there, and that of another user's.
    fs::create_dir_all(stage.setup.place.directory()).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", stage.setup.place.socket()).unwrap();
    fs::create_dir_all(stage.run().join("4242")).unwrap();
    fs::write(stage.run().join("4242/helper.sock"), "").unwrap();
    fs::write(stage.run().join("4242.lock"), "").unwrap();
    stage.serve();
    let helper = stage.client().await;
    assert_eq!(stage.file().as_bytes(), with_alive, "the living helper's block stays");
    assert!(!stage.run().join("4242").exists() && !stage.run().join("4242.lock").exists());
    let mode = fs::metadata(stage.setup.place.directory()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
    drop(helper);
    stage.end().await.unwrap();
    assert!(!stage.setup.place.lock().exists());
}

#[tokio::test]
async fn one_helper_a_user() {
    let mut stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let second = serve(stage.setup.clone(), std::future::pending()).await;
    assert!(matches!(second, Err(ServeError::Running)));
    helper.session(session(ONE)).set_hosts(Vec::new()).await.unwrap();
    stage.end().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_helper_that_nobody_speaks_to_ends() {
    let mut stage = Stage::start(BEFORE).await;
    // Time passes by itself when nothing else happens.
    stage.served.take().unwrap().await.unwrap().unwrap();
    assert!(!stage.setup.place.directory().exists());
    assert_eq!(stage.file(), BEFORE);
}

#[tokio::test]
async fn a_file_that_cannot_be_changed_is_refused_with_the_reason() {
    let stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let one = helper.session(session(ONE));
    let elsewhere = stage.directory.path().join("elsewhere");
    fs::rename(&stage.setup.hosts, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &stage.setup.hosts).unwrap();
    let error = one.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap_err();
    let HelperError::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!(refusal.code, RefusalCode::HostsFile);
    assert!(refusal.message.contains("is a symbolic link"), "{refusal}");
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), BEFORE);
    // As soon as it can be, it is.
    fs::remove_file(&stage.setup.hosts).unwrap();
    fs::rename(&elsewhere, &stage.setup.hosts).unwrap();
    one.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap();
    one.clear().await.unwrap();
    assert_eq!(stage.file(), BEFORE);
}

/// The lines of an ended session that could not be removed go with the next that can.
#[tokio::test]
async fn what_could_not_be_undone_is_undone_later() {
    let mut stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let one = helper.session(session(ONE));
    one.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap();
    let elsewhere = stage.directory.path().join("elsewhere");
    fs::rename(&stage.setup.hosts, &elsewhere).unwrap();
    fs::create_dir(&stage.setup.hosts).unwrap();
    assert!(one.set_hosts(Vec::new()).await.is_err());
    drop((one, helper));
    let other = stage.client().await;
    fs::remove_dir(&stage.setup.hosts).unwrap();
    fs::rename(&elsewhere, &stage.setup.hosts).unwrap();
    drop(other);
    stage.end().await.unwrap();
    assert_eq!(stage.file(), BEFORE);
}

#[tokio::test]
async fn too_many_names_are_refused() {
    let stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let one = helper.session(session(ONE));
    let name = "a";
    let many = entry("127.77.0.1", &vec![name; limits::NAMES]);
    one.set_hosts(vec![many.clone()]).await.unwrap();
    let with = stage.file();
    let more = vec![many, entry("127.77.0.2", &[name])];
    let error = one.set_hosts(more).await.unwrap_err();
    let HelperError::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!(refusal.code, RefusalCode::TooMany);
    assert!(refusal.message.contains("20000 names"), "{refusal}");
    // More than a frame may have is refused before it is sent.
    let long = format!("{0}.{0}.{0}.{0}", "a".repeat(60));
    let error = one.set_hosts(vec![entry("127.77.0.1", &vec![&*long; 10_000])]).await.unwrap_err();
    assert!(matches!(error, HelperError::Refused(Refusal { code: RefusalCode::TooMany, .. })));
    assert_eq!(stage.file(), with);
    let mut names = Vec::new();
    for number in 0..limits::SESSIONS {
        let of = helper.session(session(&format!("{number:012x}")));
        let set = of.set_hosts(vec![entry("127.77.0.1", &["x"])]).await;
        // One is taken by the session above.
        let last = number == limits::SESSIONS - 1;
        assert_eq!(set.is_err(), last && !names.iter().any(|name| *name == *ONE), "{number}");
        names.push(of.name().to_string());
        std::mem::forget(of);
    }
}
