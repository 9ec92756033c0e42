//! A folder, its configuration and its baseline, read for one run.

use std::path::{Path, PathBuf};

use gatewatch_drift::{CONFIG_FILE, Config, Problem, Trees, load_config};
use gatewatch_source::{BaselineSpec, Database, FilePath, MAX_FILE_BYTES, Workspace, read_one};

use crate::failure::Failure;

/// Which baseline a run asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BaselineChoice {
    /// None: the run looks at one tree only.
    None,
    /// What the configuration says, else the branch point.
    #[default]
    Default,
    /// This one.
    Given(BaselineSpec),
}

/// Everything that a run works on.
pub struct Loaded {
    /// The database.
    pub db: Database,
    /// Both trees.
    pub workspace: Workspace,
    /// What the project sets.
    pub config: Config,
    /// What is wrong with its settings.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// The trees to be compared.
    pub fn trees(&self) -> Trees {
        Trees {
            current: self.workspace.current,
            baseline: self.workspace.baseline,
        }
    }
}

/// Reads a folder.
///
/// # Errors
/// If the folder can't be read, or a baseline that was asked for by name can't be had.
pub fn load(dir: &Path, baseline: &BaselineChoice) -> Result<Loaded, Failure> {
    let root = folder(dir)?;
    let (config, problems) = read_config(&root);
    let configured = config.baseline.clone().map(BaselineSpec::Rev);
    let spec = match baseline {
        BaselineChoice::None => None,
        BaselineChoice::Given(spec) => Some(spec.clone()),
        BaselineChoice::Default => Some(configured.clone().unwrap_or_default()),
    };
    let db = Database::new();
    let options = gatewatch_model::walk_options(config.exclude.clone());
    let workspace = Workspace::load(&db, &root, options, spec.as_ref()).map_err(|error| {
        if spec == configured && *baseline == BaselineChoice::Default {
            Failure::Configured(error)
        } else {
            Failure::Baseline(error)
        }
    })?;
    tracing::info!(
        files = workspace.current.files(&db).len(),
        baseline = workspace.baseline_name,
        "read {}",
        root.display()
    );
    Ok(Loaded {
        db,
        workspace,
        config,
        problems,
    })
}

fn folder(dir: &Path) -> Result<PathBuf, Failure> {
    let failure = |why: String| Failure::Folder {
        dir: dir.to_owned(),
        why,
    };
    let root = dir
        .canonicalize()
        .map_err(|error| failure(error.to_string()))?;
    match std::fs::read_dir(&root) {
        Ok(_) => Ok(root),
        Err(error) => Err(failure(error.to_string())),
    }
}

fn read_config(root: &Path) -> (Config, Vec<Problem>) {
    match read_one(root, &FilePath::new(CONFIG_FILE), MAX_FILE_BYTES) {
        Ok(text) => load_config(&text),
        Err(skipped) if skipped.is_gone() => (Config::default(), Vec::new()),
        Err(skipped) => {
            let problem = Problem {
                line: 1,
                column: 1,
                message: format!("{skipped}; the defaults are used"),
            };
            (Config::default(), vec![problem])
        }
    }
}
