//! Scratch.
use std::time::Instant;
fn main() {
    let mut p = tree_sitter::Parser::new();
    p.set_language(&tree_sitter_rust::LANGUAGE.into()).unwrap();
    let (mut a, mut b, mut bytes) = (std::time::Duration::ZERO, std::time::Duration::ZERO, 0);
    let mut worst = vec![];
    for path in std::io::stdin().lines().map_while(Result::ok) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let t = Instant::now();
        let tree = p.parse(&text, None);
        let x = t.elapsed();
        drop(tree);
        let t = Instant::now();
        let _ = gatewatch_syntax::facts_of_text(gatewatch_syntax::facts::Language::Rust, &text);
        let y = t.elapsed();
        a += x;
        b += y;
        bytes += text.len();
        worst.push((y.as_secs_f64() / x.as_secs_f64(), x, y, path));
    }
    worst.retain(|w| w.1.as_micros() > 300);
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    for w in worst.iter().take(15) {
        println!(
            "{:.1} {:?} {:?} {}",
            w.0,
            w.1,
            w.2,
            w.3.rsplit("f/").next().unwrap()
        );
    }
    println!("parse {a:?} facts {b:?} bytes {bytes}");
}
