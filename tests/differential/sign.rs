//! Writes the zone files of a forest, signed with BIND's tools, children before their parents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::tree::{Fault, Forest, Signing, Zone};

/// A day in seconds.
const DAY: i64 = 86_400;

/// Writes all zones; returns their files in order, and the DS record of the root.
pub(crate) fn write(forest: &Forest, folder: &Path) -> (Vec<PathBuf>, String) {
    let mut signers: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut files = vec![PathBuf::new(); forest.zones.len()];
    let mut anchor = String::new();
    for (place, zone) in forest.zones.iter().enumerate().rev() {
        let own = folder.join(format!("zone{place}"));
        fs::create_dir_all(&own).unwrap();
        let below = forest.zones.iter().filter(|child| child.parent == Some(place));
        let mut text = plain_text(zone);
        for child in below {
            child.delegation.iter().chain(&child.hosts).for_each(|line| text.push_str(&format!("{line}\n")));
        }
        signers.remove(&place).unwrap_or_default().iter().for_each(|line| text.push_str(&format!("{line}\n")));
        fs::write(own.join("plain"), &text).unwrap();
        files[place] = own.join("plain");
        if zone.signing == Signing::None {
            continue;
        }
        let ds = sign(zone, &own);
        files[place] = own.join("served");
        spoil(zone, &own);
        match zone.parent {
            None => anchor = ds,
            Some(parent) if zone.has_ds => signers.entry(parent).or_default().push(ds),
            Some(_) => {}
        }
    }
    (files, anchor)
}

/// Writes the records of a zone, without what it delegates.
fn plain_text(zone: &Zone) -> String {
    let name = &zone.name;
    let mut text = format!("$TTL 300\n{name} SOA ns.example. hostmaster.example. 1 7200 900 1209600 60\n");
    let apex = zone.delegation.iter().chain(&zone.hosts).chain(&zone.records);
    apex.for_each(|line| text.push_str(&format!("{line}\n")));
    text
}

/// Signs a zone into `signed`; returns its DS record.
fn sign(zone: &Zone, folder: &Path) -> String {
    let mut keys = vec![vec!["-f", "KSK"]];
    if !zone.has_one_key {
        keys.push(vec![]);
    }
    for flags in keys {
        let sized: &[&str] = if zone.algorithm.starts_with("RSA") { &["-b", "1024"] } else { &[] };
        let arguments = [&["-q", "-a", zone.algorithm], sized, &flags, &[&zone.name]].concat();
        run(Command::new("dnssec-keygen").current_dir(folder).args(arguments));
    }
    let mut arguments = vec!["-S", "-Q", "-P", "-o", &zone.name, "-f", "signed"];
    if zone.has_one_key {
        arguments.push("-z");
    }
    match zone.signing {
        Signing::Nsec3 => arguments.extend(["-3", "aabbccdd", "-H", "1"]),
        Signing::OptOut => arguments.extend(["-3", "-", "-H", "0", "-A"]),
        Signing::None | Signing::Nsec => {}
    }
    let times = match zone.fault {
        Fault::Expired => Some((-10 * DAY, -DAY)),
        Fault::Future => Some((DAY, 10 * DAY)),
        _ => None,
    };
    let times = times.map(|(from, until)| [time(from), time(until)]);
    if let Some([from, until]) = &times {
        arguments.extend(["-s", from, "-e", until]);
    }
    arguments.push("plain");
    run(Command::new("dnssec-signzone").current_dir(folder).args(arguments));
    let ds = fs::read_to_string(folder.join(format!("dsset-{}", zone.name))).unwrap();
    let ds = ds.trim().to_owned();
    match zone.fault {
        // The last digit of the digest is another one.
        Fault::OtherKey => {
            let last = if ds.ends_with('0') { "1" } else { "0" };
            format!("{}{last}", &ds[..ds.len() - 1])
        }
        _ => ds,
    }
}

/// Writes a time that is some seconds away as the tools take it.
fn time(seconds_from_now: i64) -> String {
    let time = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + seconds_from_now).unwrap();
    time.strftime("%Y%m%d%H%M%S").to_string()
}

/// Does to a signed zone what its fault says, into `served`.
fn spoil(zone: &Zone, folder: &Path) {
    let source = if zone.fault == Fault::Stripped { "plain" } else { "signed" };
    let text = fs::read_to_string(folder.join(source)).unwrap();
    let text = match zone.fault {
        Fault::Tampered => text.replace("192.0.2.8", "192.0.2.9").replace("10 mail.", "20 mail."),
        Fault::TextsUnsigned => without_signatures_of_texts(&text),
        _ => text,
    };
    fs::write(folder.join("served"), text).unwrap();
}

/// Leaves out the signatures over TXT records, which take several lines each.
fn without_signatures_of_texts(text: &str) -> String {
    let mut kept = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        is_inside |= line.contains("RRSIG\tTXT");
        if !is_inside {
            kept.push_str(&format!("{line}\n"));
        } else if line.contains(')') {
            is_inside = false;
            // The owner stands on the first record of a name only.
        }
    }
    kept
}

/// Runs a program that must succeed.
fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
