//! Kubernetes' own binaries, built once for each machine from Debian's source package: Debian ships no node or control plane.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use super::{Sandbox, packages};
use crate::progress::step;

/// What the cluster does without, by Kubernetes' own build tags: the SDKs of the cloud providers, and the container runtime that containerd took the place of.
const WITHOUT: &str = "providerless dockerless";

const BINARIES: [&str; 5] =
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"];

/// Builds and unpacks what is missing of the cluster's binaries.
pub(super) fn ensure(sandbox: &Sandbox) -> Result<()> {
    fs::create_dir_all(sandbox.binaries())?;
    if !sandbox.binary("kubectl").exists() {
        step("kubectl", || packages::unpack(sandbox, "kubernetes-client", "usr/bin/kubectl"))?;
    }
    if BINARIES.iter().all(|name| sandbox.binary(name).exists()) {
        return Ok(());
    }
    eprintln!(
        "  Kubernetes is built from source, once on this machine; on two cores it takes 4 minutes."
    );
    step("packages for the build", || packages::ensure(packages::BUILD))?;
    let source = step("Kubernetes' source", || source(sandbox))?;
    step("build Kubernetes", || compile(sandbox, &source))
}

/// Downloads the upstream source, as Debian keeps it. The machine's own sources are asked for source packages in an apt state of our own.
fn source(sandbox: &Sandbox) -> Result<PathBuf> {
    let (cache, directory) = (sandbox.cache(), sandbox.cache().join("src"));
    let (apt, parts) = (cache.join("apt"), cache.join("apt/parts"));
    for path in [&directory, &parts, &apt.join("lists/partial"), &apt.join("archives/partial")] {
        fs::create_dir_all(path).with_context(|| format!("create {}", path.display()))?;
    }
    let (name, list) = source_list()?;
    fs::write(parts.join(name), list)?;
    if let Ok(archive) = only_file(&directory, ".orig.tar.gz") {
        return Ok(archive);
    }
    let sh = Shell::new()?;
    sh.change_dir(&directory);
    let lists = apt.join("lists");
    let options = [
        "Dir::Etc::sourcelist=/dev/null".to_owned(),
        format!("Dir::Etc::sourceparts={}", parts.display()),
        format!("Dir::State::lists={}", lists.display()),
        "APT::Sandbox::User=root".to_owned(),
    ];
    let options: Vec<_> = options.iter().flat_map(|option| ["-o", option.as_str()]).collect();
    cmd!(sh, "apt-get").args(&options).args(["update", "-qq"]).quiet().run()?;
    cmd!(sh, "apt-get")
        .args(&options)
        .args(["source", "-qq", "--download-only", "kubernetes"])
        .quiet()
        .ignore_stdout()
        .run()?;
    only_file(&directory, ".orig.tar.gz")
}

/// The machine's Debian sources with `deb` made `deb-src`, in whichever of apt's two formats they are.
fn source_list() -> Result<(&'static str, String)> {
    let modern = Path::new("/etc/apt/sources.list.d/debian.sources");
    if modern.exists() {
        let lines = fs::read_to_string(modern)?;
        let lines = lines
            .lines()
            .map(|line| if line.starts_with("Types:") { "Types: deb-src" } else { line });
        return Ok(("source.sources", lines.fold(String::new(), |text, line| text + line + "\n")));
    }
    let classic =
        fs::read_to_string("/etc/apt/sources.list").context("find Debian's sources in /etc/apt")?;
    let lines = classic.lines().filter_map(|line| line.strip_prefix("deb "));
    Ok(("source.list", lines.fold(String::new(), |text, line| text + "deb-src " + line + "\n")))
}

pub(super) fn only_file(directory: &Path, ending: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            return Ok(path);
        }
    }
    bail!("no file *{ending} in {}", directory.display())
}

fn compile(sandbox: &Sandbox, archive: &Path) -> Result<()> {
    let go = sandbox.cache().join("go");
    let root = go.join("src/k8s.io/kubernetes");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    fs::create_dir_all(&root)?;
    let sh = Shell::new()?;
    sh.set_var("PATH", format!("/usr/lib/go-1.19/bin:{}", env::var("PATH").unwrap_or_default()));
    sh.set_var("GO111MODULE", "off");
    sh.set_var("GOPATH", &go);
    sh.set_var("GOCACHE", go.join("cache"));
    sh.set_var("CGO_ENABLED", "0");
    sh.set_var("HOME", sandbox.cache());
    sh.change_dir(&root);
    cmd!(sh, "tar xf {archive} --strip-components=1").quiet().run()?;

    generate_openapi(&sh, sandbox, &root, &go)?;
    stamp_version(&root)?;
    let bin = sandbox.binaries();
    // Built beside their place first, so that a build that was interrupted leaves no binary that looks whole.
    let fresh = go.join("bin");
    fs::create_dir_all(&fresh)?;
    let packages = BINARIES.map(|name| format!("k8s.io/kubernetes/cmd/{name}"));
    let target = format!("{}/", fresh.display());
    cmd!(sh, "go build -o {target} -tags {WITHOUT} -ldflags '-s -w' {packages...}")
        .quiet()
        .run()?;
    for name in BINARIES {
        fs::rename(fresh.join(name), bin.join(name))?;
    }
    fs::remove_dir_all(&go).context("remove the build's directory")
}

/// `zz_generated.openapi.go` is not in the source package, and without it the API server does not build.
fn generate_openapi(sh: &Shell, sandbox: &Sandbox, root: &Path, go: &Path) -> Result<()> {
    let generator = sandbox.binary("openapi-gen");
    cmd!(sh, "go build -o {generator} ./vendor/k8s.io/kube-openapi/cmd/openapi-gen")
        .quiet()
        .run()?;
    let packages = openapi_packages(sh)?.join(",");
    let (output, violations) = (go.join("generated"), go.join("violations.txt"));
    let package = "k8s.io/kubernetes/pkg/generated/openapi";
    cmd!(
        sh,
        "{generator} --logtostderr -i {packages} -p {package} -O zz_generated.openapi
         -h hack/boilerplate/boilerplate.generatego.txt -o {output} -r {violations}"
    )
    .quiet()
    .run()?;
    let file = "zz_generated.openapi.go";
    fs::copy(output.join(package).join(file), root.join("pkg/generated/openapi").join(file))
        .context("take over the generated OpenAPI definitions")?;
    Ok(())
}

/// The packages that ask for OpenAPI definitions, by their import paths.
fn openapi_packages(sh: &Shell) -> Result<Vec<String>> {
    let files = cmd!(
        sh,
        "grep -rl --include=*.go +k8s:openapi-gen= staging/src/k8s.io pkg cmd vendor/k8s.io/utils"
    )
    .quiet()
    .read()?;
    let foreign = [
        "/testdata/",
        "/test/",
        "sample-apiserver",
        "code-generator",
        "_test.go",
        "pkg/generators",
    ];
    let mut packages: Vec<_> = files
        .lines()
        .filter(|file| !foreign.iter().any(|part| file.contains(part)))
        .filter_map(|file| file.rsplit_once('/'))
        .map(|(directory, _)| import_path(directory))
        .collect();
    packages.sort();
    packages.dedup();
    Ok(packages)
}

fn import_path(directory: &str) -> String {
    let outside = ["staging/src/", "vendor/"];
    match outside.iter().find_map(|prefix| directory.strip_prefix(prefix)) {
        Some(path) => path.to_owned(),
        None => format!("k8s.io/kubernetes/{directory}"),
    }
}

/// Without this the server calls itself v0.0.0, and clients cannot tell what it can do.
fn stamp_version(root: &Path) -> Result<()> {
    for file in ["component-base/version/base.go", "client-go/pkg/version/base.go"] {
        let path = root.join("staging/src/k8s.io").join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        fs::write(&path, stamped(&text))?;
    }
    Ok(())
}

fn stamped(text: &str) -> String {
    let stamp = |line: &str| {
        let trimmed = line.trim_start();
        let value = |value: &str| {
            format!("{} string = \"{value}\"\n", trimmed.split(' ').next().unwrap_or_default())
        };
        if trimmed.starts_with("gitMajor ") {
            return value("1");
        }
        if trimmed.starts_with("gitMinor ") {
            return value("20");
        }
        match line.split_once("\"v0.0.0-master") {
            Some((before, after)) => {
                let after = after.split_once('"').map_or("", |(_, after)| after);
                format!("{before}\"v1.20.2\"{after}\n")
            }
            None => format!("{line}\n"),
        }
    };
    text.lines().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn import_paths_are_those_of_go() {
        assert_eq!(import_path("staging/src/k8s.io/api/core/v1"), "k8s.io/api/core/v1");
        assert_eq!(import_path("vendor/k8s.io/utils/x"), "k8s.io/utils/x");
        assert_eq!(import_path("pkg/apis/abac"), "k8s.io/kubernetes/pkg/apis/abac");
    }

    #[test]
    fn the_version_is_stamped_and_the_rest_stays() {
        let text = "var (\n\tgitMajor string // major version\n\tgitMinor string // minor\n\tgitVersion   = \"v0.0.0-master+$Format:%h$\"\n\tgitCommit    = \"x\"\n)\n";
        let expected = "var (\ngitMajor string = \"1\"\ngitMinor string = \"20\"\n\tgitVersion   = \"v1.20.2\"\n\tgitCommit    = \"x\"\n)\n";
        assert_eq!(stamped(text), expected);
    }
}
