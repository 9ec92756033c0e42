//! Places as people read them: `app/deps.py:14`.

use gatewatch_model::{Control, Site, locate};
use gatewatch_source::Db;

/// File and 1-based line of a place.
pub(crate) fn spelled(db: &dyn Db, site: Site) -> String {
    format!("{}:{}", site.0.path(db), line(db, site))
}

/// The 1-based line of a place; 1 where it can't be found any more.
pub(crate) fn line(db: &dyn Db, site: Site) -> usize {
    let text = &site.0.text(db);
    let start = locate(db, site).map_or(0, |span| span.start as usize);
    text.get(..start)
        .map_or(0, |before| before.matches('\n').count())
        + 1
}

/// A control with its place: `` `current_user` (app/deps.py:14) ``.
pub(crate) fn control(db: &dyn Db, control: &Control) -> String {
    let name = if control.name == "inline" {
        "a check in the handler".to_owned()
    } else {
        format!("`{}`", control.name)
    };
    match control.definition {
        Some(site) => format!("{name} ({})", spelled(db, site)),
        None => format!("{name} ({})", spelled(db, control.registration)),
    }
}
