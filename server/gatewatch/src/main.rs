//! The command line of Gatewatch.
use gatewatch_model::{Handler, linked};
use gatewatch_source::{Database, WalkOptions, Workspace};

fn main() {
    let dir = std::env::args().nth(2).unwrap_or_default();
    let db = Database::new();
    let options = WalkOptions {
        extensions: gatewatch_syntax::facts::Language::EXTENSIONS.iter().map(|e| (*e).to_owned()).collect(),
        names: ["package.json", "tsconfig.json", "Cargo.toml"].map(str::to_owned).to_vec(),
        ..WalkOptions::default()
    };
    let t = std::time::Instant::now();
    let ws = Workspace::load(&db, std::path::Path::new(&dir), options, None).unwrap();
    eprintln!("load {:?}", t.elapsed());
    let linked = linked(&db, ws.current);
    eprintln!("link {:?}", t.elapsed());
    let out: Vec<_> = linked
        .entry_points
        .iter()
        .map(|e| {
            let (file, handler, line) = match &e.handler {
                Handler::Function(f, id) | Handler::Class(f, id) => {
                    let spans = gatewatch_syntax::file_spans(&db, *f);
                    let facts = gatewatch_syntax::file_facts(&db, *f);
                    let line = facts.place(*id).and_then(|(i, b)| {
                        let item = &facts.items[i];
                        let body = &item.bodies[b];
                        let s = &spans[i];
                        let sp = match body.parent {
                            None => s.head.functions[body.index as usize].name.shifted(s.whole.start),
                            Some(p) => {
                                let at = item.bodies.iter().position(|x| x.id == p)?;
                                let (o, sp) = &s.bodies[at];
                                sp.functions[body.index as usize].name.shifted(s.whole.start + o)
                            }
                        };
                        Some(f.content(&db).text[..sp.start as usize].matches('\n').count() + 1)
                    });
                    (f.path(&db).as_str().to_owned(), id.to_string(), line)
                }
                Handler::Unknown(n) => (e.site.0.path(&db).as_str().to_owned(), n.to_string(), None),
            };
            serde_json::json!({"kind": e.kind, "method": e.method.as_str(), "path": e.path.as_str(), "framework": e.framework.as_str(),
              "handler": handler, "file": file, "line": line, "auth": "unknown",
              "controls": e.guards.iter().map(|g| serde_json::json!({"name": g.callable.name().as_str(), "via": g.via})).collect::<Vec<_>>(), "uncertain": e.uncertain})
        })
        .collect();
    println!("{}", serde_json::to_string_pretty(&out).unwrap());
}
