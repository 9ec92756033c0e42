//! What stays in memory of a workspace that was analysed, for each byte of its text:
//! `cargo bench -p gatewatch-drift --bench memory`. It asserts no size.
#![allow(clippy::unwrap_used)]

#[path = "../tests/workspace/mod.rs"]
#[allow(dead_code)]
mod workspace;

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewatch_source::{Database, FilePath};
use workspace::{LONG, Open, texts};

/// As the program has it: how freed memory is used again decides a good part of the result.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let Some(before) = resident() else {
        println!("this system does not tell how much of a process is in memory");
        return;
    };
    let mut texts = texts();
    for n in 0..800 {
        let path = FilePath::new(&format!("app/lib/part{n}.py"));
        texts.insert(path, plain(n).into());
    }
    let source = size(&texts);
    let open = Open::new(Database::new(), &texts, LONG);
    let after = resident().unwrap_or(before);
    let kept = after.saturating_sub(before);
    println!(
        "{:.2} MB of text, {:.2} MB resident: {:.2} for each byte of text",
        megabytes(source),
        megabytes(kept),
        megabytes(kept) / megabytes(source),
    );
    drop(open);
}

/// A file as most are: code that has nothing to do with any route.
fn plain(file: usize) -> String {
    let mut text = String::from(
        "import logging\nfrom app.deps import current_user\n\nlog = logging.getLogger(__name__)\n",
    );
    for n in 0..12 {
        text += &format!(
            "\n\nclass Part{n}(Base):\n    \"\"\"What part {n} of {file} is for.\"\"\"\n\n    size = {n}\n\n    def load(self, key, *, strict=False):\n        rows = self.session.query(Row).filter(Row.key == key, Row.part == {n}).all()\n        if not rows and strict:\n            raise LookupError(f\"no rows for {{key}}\")\n        return [self.shape(row, size=self.size) for row in rows]\n\n    def shape(self, row, size):\n        log.debug(\"row %s of part %s\", row.id, {n})\n        return {{\"id\": row.id, \"name\": row.name.strip(), \"size\": size or row.size}}\n"
        );
    }
    text
}

fn size(texts: &BTreeMap<FilePath, Arc<str>>) -> usize {
    texts.values().map(|text| text.len()).sum()
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// The bytes of this process that are in memory.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
