//! Who has which name.

use std::collections::BTreeMap;

use towline_machine::HostName;

use super::Subject;

/// The names of several subjects, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// In the order of the subjects; a subject that got no name is not there.
    pub lines: Vec<(Subject, Vec<HostName>)>,
    /// Names that two claim.
    pub clashes: Vec<Clash>,
    /// What is no host name, and so cannot stand in the hosts file.
    pub impossible: Vec<String>,
}

/// A name that two claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The name.
    pub name: HostName,
    /// Who has it, as in a pod of the target's namespace.
    pub winner: Subject,
    /// Who has not.
    pub loser: Subject,
}

/// Distributes the names as a pod of namespace `home` finds them.
pub fn table(subjects: impl IntoIterator<Item = Subject>, home: &str, domain: &str) -> Table {
    let mut table = Table::default();
    let subjects: Vec<Subject> = subjects.into_iter().collect();
    let mut claims: Vec<(u8, usize, HostName)> = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        for (rank, name) in subject.names(home, domain) {
            match name.parse() {
                Ok(name) => claims.push((rank, index, name)),
                Err(_) => table.impossible.push(name),
            }
        }
    }
    claims.sort_by_key(|(rank, ..)| *rank);
    let mut owners: BTreeMap<HostName, usize> = BTreeMap::new();
    let mut names: Vec<Vec<HostName>> = vec![Vec::new(); subjects.len()];
    for (_, index, name) in claims {
        match owners.get(&name) {
            None => {
                owners.insert(name.clone(), index);
                names[index].push(name);
            }
            Some(owner) if *owner == index => {}
            Some(owner) => table.clashes.push(Clash {
                name,
                winner: subjects[*owner].clone(),
                loser: subjects[index].clone(),
            }),
        }
    }
    table.lines = subjects.into_iter().zip(names).filter(|(_, names)| !names.is_empty()).collect();
    table
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(subjects: Vec<Subject>) -> Table {
        table(subjects, "shop", "cluster.local")
    }

    fn names(table: &Table, index: usize) -> Vec<&str> {
        table.lines[index].1.iter().map(HostName::as_str).collect()
    }

    #[test]
    fn each_name_has_one_owner_as_in_a_pod() {
        // `db.web` is the pod of the headless service `web` in the target's own namespace, before it is the service `db` of namespace `web`.
        let pod =
            Subject::Pod { namespace: "shop".into(), service: "web".into(), pod: "db".into() };
        let service = Subject::service("web", "db");
        let table = of(vec![service.clone(), pod.clone()]);
        assert_eq!(names(&table, 0), ["db.web.svc", "db.web.svc.cluster.local"]);
        assert_eq!(names(&table, 1)[0], "db.web");
        let name = "db.web".parse().unwrap();
        assert_eq!(table.clashes, [Clash { name, winner: pod, loser: service }]);
    }

    #[test]
    fn an_external_host_comes_after_the_clusters_own_names() {
        let external = Subject::External { host: "redis.shop".parse().unwrap() };
        let table = of(vec![external.clone(), Subject::service("shop", "redis")]);
        assert_eq!(table.lines.len(), 1);
        assert_eq!(table.clashes[0].loser, external);
        assert_eq!(names(&table, 0).len(), 4);
    }

    #[test]
    fn what_is_no_host_name_is_left_out() {
        let table =
            of(vec![Subject::service("shop", "a b\n127.0.0.1 x"), Subject::service("shop", "a")]);
        assert_eq!((table.lines.len(), table.impossible.len()), (1, 4));
        let long = "a".repeat(63);
        let pod = Subject::Pod { namespace: long.clone(), service: long.clone(), pod: long };
        let table = table_of_domain(vec![pod], &["d"; 60].join("."));
        assert_eq!(
            (names(&table, 0).len(), table.impossible.len()),
            (2, 1),
            "the longest is too long"
        );
    }

    fn table_of_domain(subjects: Vec<Subject>, domain: &str) -> Table {
        table(subjects, "shop", domain)
    }
}
