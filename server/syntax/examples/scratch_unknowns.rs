//! Scratch.
use gatewatch_syntax::facts::*;
use std::time::Instant;
fn visit(
    code: &Code,
    spans: &gatewatch_syntax::Spans,
    base: usize,
    text: &str,
    path: &str,
    n: &mut [usize; 2],
) {
    for (i, e) in code.exprs.iter().enumerate() {
        n[0] += 1;
        if matches!(e, Expr::Unknown) {
            n[1] += 1;
            let s = spans.exprs[i];
            let t = text
                .get(base + s.start as usize..base + s.end as usize)
                .unwrap_or("<bad span>");
            if std::env::var("SHOW").is_ok() {
                println!(
                    "{path}: {}",
                    t.replace('\n', " ").chars().take(120).collect::<String>()
                );
            }
        }
    }
}
fn main() {
    let mut n = [0, 0];
    let (mut bytes, mut files) = (0, 0);
    let mut time = std::time::Duration::ZERO;
    for path in std::io::stdin().lines().map_while(Result::ok) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let ext = path.rsplit('.').next().unwrap_or_default();
        let Some(language) = Language::of_extension(ext) else {
            continue;
        };
        let t = Instant::now();
        let (facts, spans) = gatewatch_syntax::facts_of_text(language, &text);
        let d = t.elapsed();
        if d.as_millis() > 200 {
            eprintln!("{path} {d:?} {}", text.len());
        }
        time += d;
        bytes += text.len();
        files += 1;
        for (item, sp) in facts.items.iter().zip(spans.iter()) {
            let base = sp.whole.start as usize;
            visit(&item.head, &sp.head, base, &text, &path, &mut n);
            for (b, (off, s)) in item.bodies.iter().zip(sp.bodies.iter()) {
                visit(&b.code, s, base + *off as usize, &text, &path, &mut n);
            }
        }
    }
    eprintln!(
        "{files} files {bytes} bytes {time:?} exprs {} unknown {}",
        n[0], n[1]
    );
}
