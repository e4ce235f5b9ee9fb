//! All that the server knows, as a table from names to records.

mod records;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use hickory_proto::{
    op::ResponseCode,
    rr::{LowerName, Name, RData, Record, RecordType, rdata::SOA},
};

pub(crate) use records::Objects;

/// Seconds that a record may be kept by whoever asked: short, because a name must follow its object within a second.
const TTL: u32 = 1;

/// Aliases followed in one answer; a longer chain is a loop or a mistake.
const LONGEST_ALIAS_CHAIN: usize = 8;

/// The cluster's names at one moment.
#[derive(Debug)]
pub(crate) struct Zone {
    domain: Name,
    /// Tops of the tree this server speaks for, most specific first. The root is among them: outside the cluster there is nothing.
    apexes: [Name; 4],
    /// Names in between that have no records of their own are in here too, with none: they exist.
    records: HashMap<LowerName, Vec<Record>>,
    serial: u32,
}

/// What to reply to one question.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: ResponseCode,
    pub(crate) answers: Vec<Record>,
    /// The SOA of a negative answer, by which it is known how long it holds (RFC 2308).
    pub(crate) soa: Option<Record>,
    /// Addresses of the names that SRV records in `answers` point to.
    pub(crate) additionals: Vec<Record>,
}

impl Zone {
    /// Builds the table. `domain` is the cluster's domain, `serial` the number of this zone among its like.
    pub(crate) fn build(domain: &Name, serial: u32, objects: &Objects) -> Self {
        let mut domain = domain.to_lowercase();
        domain.set_fqdn(true);
        let apexes = [
            domain.clone(),
            arpa(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 2),
            arpa(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 2),
            Name::root(),
        ];
        let mut zone = Self { domain, apexes, records: HashMap::new(), serial };
        for apex in zone.apexes.clone() {
            let soa = zone.soa(&apex);
            zone.insert(&apex, soa.data);
        }
        zone.add(objects);
        zone
    }

    /// Answers a question for `name` and `kind`. Never a failure: either there are records, or the name has none of that kind, or it does not exist.
    pub(crate) fn answer(&self, name: &LowerName, kind: RecordType) -> Answer {
        let mut answers = Vec::new();
        let mut owner = name.clone();
        for _ in 0..LONGEST_ALIAS_CHAIN {
            let Some(records) = self.records.get(&owner) else {
                return self.negative(answers, &owner, ResponseCode::NXDomain);
            };
            let found: Vec<_> = records
                .iter()
                .filter(|record| kind == RecordType::ANY || record.record_type() == kind)
                .cloned()
                .collect();
            if !found.is_empty() {
                let additionals = self.targets(&found);
                answers.extend(found);
                return Answer { code: ResponseCode::NoError, answers, soa: None, additionals };
            }
            let Some((alias, target)) = records.iter().find_map(alias) else {
                return self.negative(answers, &owner, ResponseCode::NoError);
            };
            answers.push(alias.clone());
            owner = LowerName::new(target);
            if !self.domain.zone_of(target) {
                break;
            }
        }
        // The alias leads out of the cluster, or in a circle: it is the whole answer.
        Answer { code: ResponseCode::NoError, answers, soa: None, additionals: Vec::new() }
    }

    fn negative(&self, answers: Vec<Record>, name: &LowerName, code: ResponseCode) -> Answer {
        let name = Name::from(name);
        let soa = self.apexes.iter().find(|apex| apex.zone_of(&name)).map(|apex| self.soa(apex));
        Answer { code, answers, soa, additionals: Vec::new() }
    }

    fn targets(&self, answers: &[Record]) -> Vec<Record> {
        let mut additionals: Vec<Record> = Vec::new();
        for answer in answers {
            let RData::SRV(srv) = &answer.data else { continue };
            for record in self.records.get(&LowerName::new(&srv.target)).into_iter().flatten() {
                if record.data.ip_addr().is_some() && !additionals.contains(record) {
                    additionals.push(record.clone());
                }
            }
        }
        additionals
    }

    fn soa(&self, apex: &Name) -> Record {
        let within = |label: &str| apex.prepend_label(label).unwrap_or_else(|_| apex.clone());
        // Refresh, retry and expire are for secondary servers, and there are none; the minimum is how long "no such name" may be remembered.
        let soa = SOA::new(within("ns"), within("hostmaster"), self.serial, 3600, 600, 86400, TTL);
        Record::from_rdata(apex.clone(), TTL, RData::SOA(soa))
    }

    /// Adds a record once, and the names above it, which exist from then on.
    fn insert(&mut self, name: &Name, data: RData) {
        let mut above = name.base_name();
        while self.apexes[..3].iter().any(|apex| apex.zone_of(&above))
            && !self.records.contains_key(&LowerName::new(&above))
        {
            self.records.insert(LowerName::new(&above), Vec::new());
            above = above.base_name();
        }
        let records = self.records.entry(LowerName::new(name)).or_default();
        let record = Record::from_rdata(name.clone(), TTL, data);
        if !records.contains(&record) {
            records.push(record);
        }
    }
}

/// The record and what it points to, if it is an alias.
fn alias(record: &Record) -> Option<(&Record, &Name)> {
    match &record.data {
        RData::CNAME(target) => Some((record, &target.0)),
        _ => None,
    }
}

/// The last `labels` labels of the name that an address is looked up by.
fn arpa(address: IpAddr, labels: usize) -> Name {
    Name::from(address).trim_to(labels)
}
