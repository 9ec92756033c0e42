//! `tests/cases/open.txt`: checks that are specified but don't hold yet.
//!
//! The list only shrinks: a check on it that holds again fails the run until it is struck. Every other
//! check must hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The list, and what this run found.
pub struct Open {
    path: PathBuf,
    listed: BTreeMap<String, BTreeSet<String>>,
    /// What fails now, collected only when the list is to be written anew.
    failing: Option<Mutex<BTreeMap<String, BTreeSet<String>>>>,
}

impl Open {
    /// Reads the list below the cases' folder. With `rewrite` every case passes, and [`Self::write`] makes the
    /// list anew.
    pub fn read(folder: &Path, rewrite: bool) -> Self {
        let path = folder.join("open.txt");
        let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in fs::read_to_string(&path).unwrap_or_default().lines() {
            if let Some((name, check)) = line.split_once(" | ")
                && !line.starts_with('#')
            {
                listed
                    .entry(name.to_owned())
                    .or_default()
                    .insert(check.to_owned());
            }
        }
        Self {
            path,
            listed,
            failing: rewrite.then(Mutex::default),
        }
    }

    /// Compares what fails in a case with what may.
    pub fn compare(
        &self,
        name: &str,
        path: &Path,
        wrong: Vec<(String, String)>,
    ) -> Result<(), String> {
        if let Some(failing) = &self.failing {
            let checks: BTreeSet<String> = wrong.into_iter().map(|(check, _)| check).collect();
            if !checks.is_empty() {
                failing.lock().unwrap().insert(name.to_owned(), checks);
            }
            return Ok(());
        }
        let none = BTreeSet::new();
        let listed = self.listed.get(name).unwrap_or(&none);
        let mut text = String::new();
        for (check, difference) in &wrong {
            if !listed.contains(check) {
                text.push_str(difference);
            }
        }
        for check in listed {
            if !wrong.iter().any(|(failing, _)| failing == check) {
                let _ = writeln!(
                    text,
                    "  holds now, strike it from tests/cases/open.txt: {name} | {check}"
                );
            }
        }
        if text.is_empty() {
            Ok(())
        } else {
            Err(format!("{}\n{text}", path.display()))
        }
    }

    /// Writes the list anew, when it was read for that. Cases that this run left out keep their lines.
    pub fn write(&self, ran: &[String]) {
        let Some(failing) = &self.failing else { return };
        let mut all = self.listed.clone();
        all.retain(|name, _| !ran.contains(name));
        all.extend(failing.lock().unwrap().clone());
        let mut text = String::from(
            "# Checks of the cases that don't hold yet: case | section [way]. The list only shrinks; \
             GATEWATCH_OPEN=1 writes it anew.\n",
        );
        for (name, checks) in all {
            for check in checks {
                let _ = writeln!(text, "{name} | {check}");
            }
        }
        fs::write(&self.path, text).unwrap();
    }
}
