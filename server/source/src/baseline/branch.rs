//! Where the present line of work left the default branch.

use gix::ObjectId;
use gix::bstr::ByteSlice;

use crate::baseline::BaselineError;
use crate::baseline::repository::{Repository, display, explain};

/// What `Auto` chose.
pub(super) struct BranchPoint {
    pub(super) commit: ObjectId,
    /// The name of what the commit stands for: the default branch, or `HEAD`.
    pub(super) name: String,
    pub(super) note: Option<String>,
}

/// Where HEAD and the default branch are.
pub(super) struct Standing {
    head: Option<Head>,
    default: Option<DefaultBranch>,
}

struct Head {
    commit: ObjectId,
    /// The whole name of the branch, `None` for a detached HEAD.
    branch: Option<String>,
}

struct DefaultBranch {
    /// As people call it: `main`, `origin/main`.
    name: String,
    /// The whole name of the local branch, whether it exists or not.
    local: Option<String>,
    commit: ObjectId,
}

impl Standing {
    pub(super) fn fingerprint(&self) -> String {
        let Some(head) = &self.head else {
            return "no commit".into();
        };
        let branch = head.branch.as_deref().unwrap_or("detached");
        let mut fingerprint = format!("HEAD {branch} {}", head.commit);
        if let Some(default) = &self.default {
            fingerprint.push_str(&format!(", {} {}", default.name, default.commit));
        }
        fingerprint
    }
}

impl Repository {
    /// Where HEAD and the default branch are, read from the refs alone.
    pub(super) fn standing(&self) -> Result<Standing, BaselineError> {
        self.ask(standing, refs_error)
    }

    /// The baseline of `Auto`; `None` in a repository without commits.
    pub(super) fn branch_point(&self) -> Result<Option<BranchPoint>, BaselineError> {
        let Standing { head, default } = self.standing()?;
        let Some(head) = head else {
            return Ok(None);
        };
        let at_head = |note: String| BranchPoint {
            commit: head.commit,
            name: "HEAD".into(),
            note: Some(format!("{note}; compared with HEAD instead")),
        };
        let Some(default) = default else {
            let note = "there is no default branch (origin/HEAD, main or master)";
            return Ok(Some(at_head(note.into())));
        };
        if head.branch.is_some() && head.branch == default.local {
            let name = default.local.as_deref().unwrap_or_default();
            let name = name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
            return Ok(Some(BranchPoint {
                commit: head.commit,
                name,
                note: None,
            }));
        }
        let (base, shallow) = self.ask(
            |git| {
                let base = git.merge_base(head.commit, default.commit);
                let base = base.map(|base| base.map(gix::Id::detach));
                Ok((base, git.is_shallow().unwrap_or(false)))
            },
            refs_error,
        )?;
        Ok(Some(match base {
            Ok(Some(commit)) => BranchPoint {
                commit,
                name: default.name,
                note: None,
            },
            Ok(None) if shallow => at_head(format!(
                "the clone is shallow and does not reach back to the branch point from {}",
                default.name
            )),
            Ok(None) => at_head(format!("HEAD shares no history with {}", default.name)),
            Err(error) => at_head(format!(
                "the branch point from {} can't be found ({})",
                default.name,
                explain(&error)
            )),
        }))
    }
}

fn standing(git: &gix::Repository) -> Result<Standing, BaselineError> {
    let fail = |error: gix::Error| refs_error(explain(&error));
    let mut head = git.head().map_err(fail)?;
    let branch = head.referent_name().map(|name| display(name.as_bstr()));
    let head = if head.is_unborn() {
        None
    } else {
        let commit = head.peel_to_commit().map_err(fail)?.id;
        Some(Head { commit, branch })
    };
    Ok(Standing {
        head,
        default: default_branch(git),
    })
}

/// The first default branch that exists. A ref that can't be followed is no candidate; a stale
/// `origin/HEAD` is common after the remote renamed its branch.
fn default_branch(git: &gix::Repository) -> Option<DefaultBranch> {
    const REMOTE: &str = "refs/remotes/origin/";
    let at = |whole: &str, name: String, local: Option<String>| {
        let mut found = git.try_find_reference(whole).ok()??;
        let commit = found.peel_to_commit().ok()?.id;
        Some(DefaultBranch {
            name,
            local,
            commit,
        })
    };
    let remote_head = || {
        let whole = format!("{REMOTE}HEAD");
        let found = git.try_find_reference(whole.as_str()).ok()??;
        let target = found
            .target()
            .try_name()
            .map(|name| name.as_bstr().to_owned());
        let branch = target
            .as_ref()
            .and_then(|name| name.strip_prefix(REMOTE.as_bytes()));
        match branch.map(|branch| branch.to_str_lossy()) {
            Some(branch) => at(
                &whole,
                format!("origin/{branch}"),
                Some(format!("refs/heads/{branch}")),
            ),
            None => at(&whole, "origin/HEAD".into(), None),
        }
    };
    remote_head().or_else(|| {
        ["main", "master"].iter().find_map(|branch| {
            let local = format!("refs/heads/{branch}");
            at(&local, (*branch).to_owned(), Some(local.clone())).or_else(|| {
                at(
                    &format!("{REMOTE}{branch}"),
                    format!("origin/{branch}"),
                    Some(local.clone()),
                )
            })
        })
    })
}

fn refs_error(why: String) -> BaselineError {
    BaselineError::Object {
        what: "HEAD".into(),
        why,
    }
}
