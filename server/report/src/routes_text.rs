//! Entry points as a table.

use crate::plain::visible;
use crate::routes::Route;

/// One line an entry point: method, path, who can call it, the names of its controls, its place.
pub fn routes_text(routes: &[Route]) -> String {
    let rows: Vec<[String; 5]> = routes
        .iter()
        .map(|route| {
            let mut controls: Vec<String> = Vec::new();
            for control in &route.controls {
                let name = &control.short_name;
                let name = match control.strength {
                    "enforcing" => name.clone(),
                    strength => format!("{name} ({strength})"),
                };
                if !controls.contains(&name) {
                    controls.push(name);
                }
            }
            [
                visible(&route.method),
                visible(&route.path),
                route.auth.to_owned(),
                if controls.is_empty() {
                    "-".to_owned()
                } else {
                    visible(&controls.join(", "))
                },
                visible(&format!("{}:{}", route.file, route.line)),
            ]
        })
        .collect();
    let mut widths = [0_usize; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in &rows {
        for (width, cell) in widths.iter().zip(row) {
            out.push_str(cell);
            let missing = width.saturating_sub(cell.chars().count());
            out.extend(std::iter::repeat_n(' ', missing + 2));
        }
        out.push_str(&row[4]);
        out.push('\n');
    }
    out
}
