#![allow(unreachable_pub)]
//! A generated FastAPI workspace with one long file that an editor holds open.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewatch_drift::{Finding, Trees, findings};
use gatewatch_source::{Database, FilePath, SourceFile, Workspace};
use gatewatch_syntax::facts::Language;
use gatewatch_syntax::{Buffer, InputEdit, Point};

/// The guard that all routes depend on.
pub const GUARD: &str = "app/deps.py";
/// The long file.
pub const LONG: &str = "app/r0.py";

/// The texts of a workspace: one file with 600 routes in 4,800 lines, 200 small ones that are alike, the guard
/// and the application.
pub fn texts() -> BTreeMap<FilePath, Arc<str>> {
    const FILES: usize = 200;
    let mut texts = BTreeMap::new();
    for n in 0..FILES {
        let text = routes(n, if n == 0 { 600 } else { 8 });
        texts.insert(FilePath::new(&format!("app/r{n}.py")), text.into());
    }
    let names = || (0..FILES).map(|n| format!("r{n}"));
    let mut main: String = names()
        .map(|name| format!("from app.{name} import router as {name}\n"))
        .collect();
    main += "from fastapi import FastAPI\napp = FastAPI()\n";
    main.extend(names().map(|name| format!("app.include_router({name})\n")));
    texts.insert(FilePath::new("app/main.py"), main.into());
    texts.insert(FilePath::new("app/__init__.py"), "".into());
    let guard = "from fastapi import Depends, HTTPException\nfrom fastapi.security import OAuth2PasswordBearer\n\nscheme = OAuth2PasswordBearer(tokenUrl=\"token\")\n\n\ndef current_user(token: str = Depends(scheme)):\n    user = users.get(token)\n    if user is None:\n        raise HTTPException(status_code=401)\n    return user\n";
    texts.insert(FilePath::new(GUARD), guard.into());
    texts
}

fn routes(file: usize, count: usize) -> String {
    let mut text = format!(
        "from fastapi import APIRouter, Depends, HTTPException\nfrom app.deps import current_user\n\nrouter = APIRouter(prefix=\"/r{file}\")\n"
    );
    for n in 0..count {
        text += &format!(
            "\n\n@router.get(\"/{n}/{{item_id}}\")\ndef read_{n}(item_id: int, user=Depends(current_user)):\n    item = db.get(item_id)\n    if item.owner != user.id:\n        raise HTTPException(status_code=404)\n    return item\n"
        );
    }
    text
}

/// One open file of a workspace that equals its baseline in everything else.
pub struct Open {
    /// What the queries run against.
    pub db: Database,
    /// Both trees.
    pub trees: Trees,
    /// The open file.
    pub file: SourceFile,
    /// Its text.
    pub text: Arc<str>,
    /// Its parse.
    pub buffer: Arc<Buffer>,
}

impl Open {
    /// Opens a file, and analyses everything once.
    pub fn new(db: Database, texts: &BTreeMap<FilePath, Arc<str>>, path: &str) -> Self {
        let mut db = db;
        let path = FilePath::new(path);
        let language = Language::of_extension(path.extension()).unwrap();
        let mut workspace = Workspace::from_texts(&db, Some(texts), texts);
        let text = Arc::clone(&texts[&path]);
        let buffer = Arc::new(Buffer::open(language, &text).unwrap());
        let content = gatewatch_frameworks::content(&buffer, Arc::clone(&text));
        workspace.set_content(&mut db, &path, content);
        let trees = Trees {
            current: workspace.current,
            baseline: workspace.baseline,
        };
        let file = trees.current.file(&db, &path).unwrap();
        let open = Self {
            db,
            trees,
            file,
            text,
            buffer,
        };
        open.findings();
        open
    }

    /// What changed.
    pub fn findings(&self) -> Arc<Vec<Finding>> {
        findings(&self.db, self.trees)
    }

    /// Puts `new` in the place of the text at `at` that is `old`: parses, and writes the input.
    pub fn replace(&mut self, at: usize, old: &str, new: &str) {
        self.edit(at, old, new);
        self.write();
    }

    /// The first half of [`Self::replace`].
    pub fn edit(&mut self, at: usize, old: &str, new: &str) {
        let (text, edit) = edited(&self.text, at, old, new);
        self.text = text.into();
        self.buffer = Arc::new(self.buffer.edit(&self.text, &[edit]).unwrap());
    }

    /// The second half of [`Self::replace`].
    pub fn write(&mut self) {
        let content = gatewatch_frameworks::content(&self.buffer, Arc::clone(&self.text));
        self.file.write(&mut self.db, content);
    }

    /// Where `what` stands behind `after`.
    pub fn place(&self, after: &str, what: &str) -> usize {
        let start = self.text.find(after).unwrap();
        start + self.text[start..].find(what).unwrap()
    }
}

/// A text after an edit, and the edit as the parser needs it.
pub fn edited(text: &str, at: usize, old: &str, new: &str) -> (String, InputEdit) {
    assert_eq!(&text[at..at + old.len()], old);
    let mut after = text.to_owned();
    after.replace_range(at..at + old.len(), new);
    let point = |text: &str, at: usize| {
        let before = &text[..at];
        let row = before.matches('\n').count();
        Point {
            row,
            column: at - before.rfind('\n').map_or(0, |line| line + 1),
        }
    };
    let edit = InputEdit {
        start_byte: at,
        old_end_byte: at + old.len(),
        new_end_byte: at + new.len(),
        start_position: point(text, at),
        old_end_position: point(text, at + old.len()),
        new_end_position: point(&after, at + new.len()),
    };
    (after, edit)
}
