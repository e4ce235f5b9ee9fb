//! Launches that are remembered, the last used first, in `profiles.yaml` beside the settings.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use towline_core::report::Code;
use towline_core::settings::{Settings, write_private};

use crate::publish::Publish;
use crate::report::failure;
use crate::view::{Change, LaunchRequest, Profile, Report};

/// More than anybody looks through; the ones that were used longest ago go.
const KEPT: usize = 100;

/// The profiles and their file. Cheap to clone.
#[derive(Clone)]
pub struct Profiles {
    shared: Arc<Shared>,
}

struct Shared {
    publish: Arc<dyn Publish>,
    file: Option<PathBuf>,
    all: Mutex<Vec<Profile>>,
    /// Why the file could not be read: it is not written over then.
    problem: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct File {
    #[serde(default)]
    profiles: Vec<Profile>,
}

impl Profiles {
    /// Where they are: beside the settings.
    pub fn path() -> Option<PathBuf> {
        Some(Settings::path()?.with_file_name("profiles.yaml"))
    }

    /// Reads them from `file`, usually [`Self::path`]. A file that makes no sense is left as it is, and the profiles are then remembered only as long
    /// as the application runs.
    pub fn open(publish: Arc<dyn Publish>, file: Option<PathBuf>) -> Self {
        let (all, problem) = match file.as_deref().map(read).transpose() {
            Ok(all) => (all.unwrap_or_default(), None),
            Err(problem) => {
                tracing::warn!(problem, "the profiles cannot be read");
                (Vec::new(), Some(problem))
            }
        };
        let all = Mutex::new(sorted(all));
        Self { shared: Arc::new(Shared { publish, file, all, problem }) }
    }

    /// What is wrong with their file, which is left as it is.
    pub fn problem(&self) -> Option<&str> {
        self.shared.problem.as_deref()
    }

    /// All of them, the last used first.
    pub fn all(&self) -> Vec<Profile> {
        self.lock().clone()
    }

    /// Adds a profile, or changes the one with its id.
    ///
    /// # Errors
    ///
    /// When it has no name, or the file cannot be written.
    pub fn save(&self, mut profile: Profile) -> Result<(), Report> {
        profile.name = profile.name.trim().to_owned();
        if profile.name.is_empty() {
            let hint = Some("Such as orders (shop).");
            return Err(failure(Code::Input, "A profile needs a name.", hint));
        }
        self.change(|all| {
            if profile.id.is_empty() {
                profile.id = fresh_id(all);
            }
            match all.iter_mut().find(|other| other.id == profile.id) {
                Some(other) => *other = profile,
                None => all.push(profile),
            }
        })
    }

    /// Forgets a profile; one that is not there is forgotten already.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn remove(&self, id: &str) -> Result<(), Report> {
        self.change(|all| all.retain(|profile| profile.id != id))
    }

    /// A session has been begun with `request`: the profile of the same context, namespace and target remembers it, or a new one does.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn used(&self, request: &LaunchRequest) -> Result<(), Report> {
        // Taking over is decided anew each time.
        let request = LaunchRequest { take_over: false, ..request.clone() };
        let used = Some(Timestamp::now().as_millisecond());
        let place =
            |of: &LaunchRequest| (of.context.clone(), of.namespace.clone(), of.target.clone());
        self.change(|all| {
            let same = all.iter_mut().find(|profile| place(&profile.request) == place(&request));
            match same {
                Some(profile) => (profile.request, profile.used) = (request, used),
                None => {
                    let name = format!("{} ({})", title(&request.target), request.namespace);
                    all.push(Profile { id: fresh_id(all), name, request, used });
                }
            }
        })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Profile>)) -> Result<(), Report> {
        let mut all = self.lock();
        let mut changed = all.clone();
        change(&mut changed);
        let changed = sorted(changed);
        if let (Some(file), None) = (&self.shared.file, &self.shared.problem) {
            write(file, &changed)?;
        }
        all.clone_from(&changed);
        drop(all);
        self.shared.publish.put(Change::Profiles { profiles: changed });
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Profile>> {
        self.shared.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A target's name without its kind.
pub(crate) fn title(target: &str) -> &str {
    target.rsplit('/').next().unwrap_or(target)
}

fn sorted(mut all: Vec<Profile>) -> Vec<Profile> {
    all.sort_by_key(|profile| std::cmp::Reverse(profile.used));
    all.truncate(KEPT);
    all
}

/// Counts up from all that are there: readable, and never an earlier one's while that is there.
fn fresh_id(all: &[Profile]) -> String {
    let numbers = all.iter().filter_map(|profile| profile.id.parse::<u64>().ok());
    (numbers.max().unwrap_or(0) + 1).to_string()
}

fn read(file: &Path) -> Result<Vec<Profile>, String> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) if text.trim().is_empty() => return Ok(Vec::new()),
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    let read: Result<File, _> = serde_yaml_ng::from_str(&text);
    read.map(|file| file.profiles).map_err(|error| error.to_string())
}

fn write(file: &Path, profiles: &[Profile]) -> Result<(), Report> {
    let failed = |why: String| {
        let message = format!("The profiles cannot be written to {}: {why}.", file.display());
        failure(Code::Input, message, Some("See that the file and its directory are yours."))
    };
    let content = File { profiles: profiles.to_vec() };
    let text = serde_yaml_ng::to_string(&content).map_err(|error| failed(error.to_string()))?;
    write_private(file, text.as_bytes()).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::launch::testing::request;
    use crate::publish::testing::Published;

    fn open(file: &Path) -> Profiles {
        Profiles::open(Arc::new(Published::default()), Some(file.to_owned()))
    }

    #[test]
    fn a_launch_is_remembered_once_and_the_last_is_first() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("towline/profiles.yaml");
        let profiles = open(&file);
        let orders = request("service/orders");
        profiles.used(&orders).unwrap();
        profiles.used(&request("statefulset/catalogue")).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2));
        profiles
            .used(&LaunchRequest { take_over: true, lease_seconds: Some(9), ..orders })
            .unwrap();
        let all = open(&file).all();
        assert_eq!(all, profiles.all());
        let names: Vec<&str> = all.iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["orders (shop)", "catalogue (shop)"]);
        assert_eq!((all[0].request.lease_seconds, all[0].request.take_over), (Some(9), false));
        profiles.remove(&all[0].id).unwrap();
        assert_eq!(open(&file).all().len(), 1);
    }

    #[test]
    fn a_profile_of_an_older_version_says_nothing_about_what_came_later() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("profiles.yaml");
        let written = "profiles: [{id: '1', name: orders (shop), used: 1, request: {context: sandbox, namespace: shop, target: service/orders, \
             container: null, ports: [], namespaces: [], program: {start: byUser}, mode: noAdministrator, agentImage: null, pullSecret: null, \
             leaseSeconds: null, takeOver: false, reconnect: false}}]";
        std::fs::write(&file, written).unwrap();
        let profiles = open(&file);
        assert_eq!(profiles.problem(), None);
        assert_eq!(profiles.all()[0].request, request("service/orders"));
    }

    #[test]
    fn a_name_is_the_users() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("profiles.yaml");
        let profiles = open(&file);
        profiles.used(&request("service/orders")).unwrap();
        let mut mine = profiles.all().remove(0);
        mine.name = " Orders, with the debugger ".to_owned();
        profiles.save(mine.clone()).unwrap();
        profiles.used(&request("service/orders")).unwrap();
        assert_eq!(profiles.all()[0].name, "Orders, with the debugger");
        mine.name = "  ".to_owned();
        assert_eq!(profiles.save(mine).unwrap_err().code, "input");
    }

    #[test]
    fn a_file_that_makes_no_sense_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("profiles.yaml");
        std::fs::write(&file, "profiles: 7\n").unwrap();
        let profiles = open(&file);
        profiles.used(&request("service/orders")).unwrap();
        assert!(profiles.problem().is_some());
        assert_eq!(profiles.all().len(), 1);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "profiles: 7\n");
    }
}
