//! A registry of our own: Debian's `docker-registry` on a free port of 127.0.0.1, ended when dropped.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What the registry asks of those who come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    None,
    Tls,
    /// User jane, password correct-horse.
    TlsAndPassword,
}

/// bcrypt of correct-horse, the only form that the registry takes.
const PASSWORDS: &str = "jane:$2y$05$eKqw7iBN1t3lzDVGyM51m.Qu2FXyxjNu/oRJpTCAYE.xMsMcQOmpS\n";

const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Registry {
    process: Child,
    pub(crate) address: String,
    /// The authority that signed the certificate.
    pub(crate) authority: PathBuf,
    security: Security,
}

impl Registry {
    /// Starts one; `None` where there is none to start.
    pub(crate) fn start(directory: &Path, security: Security) -> Option<Self> {
        if Command::new("docker-registry").arg("--version").output().is_err() {
            eprintln!(
                "skipped: docker-registry is not installed (apt-get install docker-registry)"
            );
            return None;
        }
        let directory = directory.join("registry");
        fs::create_dir(&directory).unwrap();
        let authority = directory.join("ca.crt");
        if security != Security::None {
            certificates(&directory);
        }
        // Between our finding a port free and its being taken, another test may take it: then again.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let address = format!("127.0.0.1:{port}");
            let config = configuration(&directory, &address, security);
            let log = fs::File::create(directory.join("log")).unwrap();
            let process = Command::new("docker-registry")
                .arg("serve")
                .arg(config)
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .unwrap();
            let mut registry = Self { process, address, authority: authority.clone(), security };
            if registry.comes_up() {
                return Some(registry);
            }
        }
        panic!(
            "the registry does not start: {}",
            fs::read_to_string(directory.join("log")).unwrap_or_default()
        );
    }

    fn comes_up(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(&self.address).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// The manifest or index of a tag or digest, and its digest.
    pub(crate) fn manifest(&self, name: &str, reference: &str) -> (Value, String) {
        let accept = "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
        let answer = self.get(&format!("/v2/{name}/manifests/{reference}"), &["-i", "-H", accept]);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let digest = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("docker-content-digest").then(|| value.to_owned())
        });
        (serde_json::from_str(body).unwrap(), digest.unwrap())
    }

    pub(crate) fn blob(&self, name: &str, digest: &str) -> Value {
        serde_json::from_str(&self.get(&format!("/v2/{name}/blobs/{digest}"), &[])).unwrap()
    }

    fn get(&self, path: &str, more: &[&str]) -> String {
        let scheme = if self.security == Security::None { "http" } else { "https" };
        let mut curl = Command::new("curl");
        curl.args(["-sSf", "--noproxy", "*"])
            .args(more)
            .arg(format!("{scheme}://{}{path}", self.address));
        if self.security != Security::None {
            curl.arg("--cacert").arg(&self.authority);
        }
        if self.security == Security::TlsAndPassword {
            curl.args(["--user", "jane:correct-horse"]);
        }
        let output = curl.output().unwrap();
        assert!(output.status.success(), "GET {path}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What `docker login` writes, `entry` being the registry's.
    pub(crate) fn docker_config(&self, home: &Path, entry: &str) {
        fs::create_dir_all(home.join(".docker")).unwrap();
        let config = format!(r#"{{"auths": {{"{}": {entry}}}}}"#, self.address);
        fs::write(home.join(".docker/config.json"), config).unwrap();
    }

    /// A credential helper `test` for this registry, as a script.
    pub(crate) fn credential_helper(&self, home: &Path, script: &str) {
        fs::create_dir_all(home.join(".docker")).unwrap();
        let config = format!(r#"{{"credHelpers": {{"{}": "test"}}}}"#, self.address);
        fs::write(home.join(".docker/config.json"), config).unwrap();
        let helper = home.join("docker-credential-test");
        fs::write(&helper, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn configuration(directory: &Path, address: &str, security: Security) -> PathBuf {
    let at = |name: &str| directory.join(name).display().to_string();
    let mut text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {:?}}}}}\nhttp:\n  addr: {address}\n",
        at("data")
    );
    if security != Security::None {
        text += &format!(
            "  tls: {{certificate: {:?}, key: {:?}}}\n",
            at("server.crt"),
            at("server.key")
        );
    }
    if security == Security::TlsAndPassword {
        fs::write(at("passwords"), PASSWORDS).unwrap();
        text += &format!("auth: {{htpasswd: {{realm: test, path: {:?}}}}}\n", at("passwords"));
    }
    let file = directory.join("config.yml");
    fs::write(&file, text).unwrap();
    file
}

/// An authority, and a certificate of it for 127.0.0.1.
fn certificates(directory: &Path) {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.crt -subj /CN=test-ca -days 2"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=registry"));
    fs::write(directory.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile names",
    );
}
