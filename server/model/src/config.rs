//! The few things that module resolution reads from manifests: TypeScript path mappings, package and
//! crate names. A manifest that can't be read maps nothing.

use gatewatch_source::{Db, FilePath, FileSet};
use serde_json::Value;

/// JSON with comments and trailing commas, as `tsconfig.json` is.
fn relaxed(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_string = false;
    while let Some(c) = chars.next() {
        if in_string {
            plain.push(c);
            match c {
                '\\' => plain.extend(chars.next()),
                '"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match (c, chars.peek()) {
            ('"', _) => {
                in_string = true;
                plain.push(c);
            }
            ('/', Some('/')) => while chars.next_if(|&c| c != '\n').is_some() {},
            ('/', Some('*')) => {
                chars.next();
                let mut last = ' ';
                for c in chars.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            ('}' | ']', _) => {
                while plain.ends_with(|c: char| c.is_whitespace() || c == ',') {
                    plain.pop();
                }
                plain.push(c);
            }
            _ => plain.push(c),
        }
    }
    serde_json::from_str(&plain).ok()
}

/// The name of a JavaScript package.
pub(crate) fn package_name(text: &str) -> Option<String> {
    relaxed(text)?.get("name")?.as_str().map(str::to_owned)
}

/// The entry files that a package names, without their endings, as they stand in its sources.
pub(crate) fn package_entries(db: &dyn Db, tree: FileSet, folder: &str) -> Vec<String> {
    let path = FilePath::new(&format!("{folder}/package.json"));
    let Some(file) = tree.file(db, &path) else {
        return Vec::new();
    };
    let Some(json) = relaxed(&file.text(db)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    fn collect(value: &Value, found: &mut Vec<String>, depth: u32) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Object(map) if depth < 4 => {
                let dot = map.get(".").into_iter();
                let conditions = [
                    "source", "types", "import", "module", "default", "require", "node",
                ];
                dot.chain(conditions.iter().filter_map(|key| map.get(*key)))
                    .for_each(|value| collect(value, found, depth + 1));
            }
            _ => {}
        }
    }
    for key in ["source", "exports", "module", "main", "types"] {
        if let Some(value) = json.get(key) {
            collect(value, &mut found, 0);
        }
    }
    let mut entries = Vec::new();
    for entry in found {
        let entry = entry.trim_start_matches("./").to_owned();
        // What is built to `dist/x.js` stands in `src/x.ts`.
        for built in ["dist/", "build/", "lib/", "out/"] {
            if let Some(rest) = entry.strip_prefix(built) {
                let stem = rest.trim_end_matches(".d.ts");
                entries.push(format!(
                    "src/{}",
                    stem.rsplit_once('.').map_or(stem, |(stem, _)| stem)
                ));
            }
        }
        entries.push(entry);
    }
    entries
}

/// The path mappings of a `tsconfig.json`, targets relative to the workspace; those of the
/// configurations that it extends come behind its own.
pub(crate) fn tsconfig_paths(
    db: &dyn Db,
    tree: FileSet,
    path: &FilePath,
    depth: u32,
) -> Vec<(String, Vec<String>)> {
    let Some(json) = tree.file(db, path).and_then(|file| relaxed(&file.text(db))) else {
        return Vec::new();
    };
    let options = json.get("compilerOptions");
    let base_url = options
        .and_then(|options| options.get("baseUrl"))
        .and_then(Value::as_str);
    let base = format!("{}/{}", path.parent(), base_url.unwrap_or("."));
    let mut found = Vec::new();
    if let Some(Value::Object(paths)) = options.and_then(|options| options.get("paths")) {
        for (pattern, targets) in paths {
            let targets = targets
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|target| {
                    FilePath::new(&format!("{base}/{target}"))
                        .as_str()
                        .to_owned()
                })
                .collect();
            found.push((pattern.clone(), targets));
        }
    }
    if base_url.is_some() {
        found.push((
            "*".to_owned(),
            vec![FilePath::new(&format!("{base}/*")).as_str().to_owned()],
        ));
    }
    // The most specific pattern decides.
    found.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    if depth < 8 {
        let extends = match json.get("extends") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for parent in extends {
            if parent.starts_with('.') {
                let mut target = FilePath::new(&format!("{}/{parent}", path.parent()));
                if target.extension() != "json" {
                    target = FilePath::new(&format!("{target}.json"));
                }
                found.extend(tsconfig_paths(db, tree, &target, depth + 1));
            }
        }
    }
    found
}

/// The name of the crate that a `Cargo.toml` describes.
pub(crate) fn crate_name(text: &str) -> Option<String> {
    let manifest: toml::Table = toml::from_str(text).ok()?;
    let named = |table: &str| -> Option<String> {
        Some(manifest.get(table)?.get("name")?.as_str()?.to_owned())
    };
    named("lib").or_else(|| named("package"))
}
