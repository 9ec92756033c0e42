//! What one name of a module leads to. Who looks a single name up should not be asked again whenever something else of
//! that module changes: a new import at the top would have every function of an open file read once more.

use std::sync::Arc;

use gatewatch_source::{Db, SourceFile};
use rustc_hash::FxHashSet;
use ustr::{Ustr, ustr};

use crate::roles::module_roles;
use crate::value::{Argument, ArgumentKind, Op, ScopeRoles, Value};

/// The roles of a module as far as `name` leads to them: the name, the export of that name, `module.exports`, the modules
/// whose names are taken over, and the names and calls that stand behind those. For a file that can't
/// change, all of them.
pub fn module_slice(db: &dyn Db, file: SourceFile, name: Ustr) -> Arc<ScopeRoles> {
    if file.is_frozen(db) {
        module_roles(db, file)
    } else {
        slice(db, file, name)
    }
}

#[salsa::tracked(returns(clone))]
fn slice(db: &dyn Db, file: SourceFile, name: Ustr) -> Arc<ScopeRoles> {
    let roles = module_roles(db, file);
    let mut slice = ScopeRoles {
        stars: roles.stars.clone(),
        ..ScopeRoles::default()
    };
    let mut behind = Behind::default();
    behind.names.push(name);
    for name in [name, ustr("module.exports")] {
        if let Some(value) = roles.export(name) {
            slice.exports.push((name, value.clone()));
            behind.value(value);
        }
    }
    let (mut names, mut results) = (FxHashSet::default(), FxHashSet::default());
    loop {
        if let Some(name) = behind.names.pop() {
            if names.insert(name)
                && let Some(value) = roles.name(name)
            {
                slice.names.push((name, value.clone()));
                behind.value(value);
            }
        } else if let Some(result) = behind.results.pop() {
            if results.insert(result)
                && let Some((callee, args, place)) = roles.call(result)
            {
                slice.ops.push(Op::Call {
                    callee: callee.clone(),
                    args: Arc::clone(args),
                    result,
                    place,
                });
                behind.value(callee);
                behind.args(args);
            }
        } else {
            break;
        }
    }
    let text = |entry: &(Ustr, Value)| entry.0.as_str();
    slice.names.sort_by(|a, b| text(a).cmp(text(b)));
    slice.exports.sort_by(|a, b| text(a).cmp(text(b)));
    slice.exports.dedup_by_key(|entry| entry.0);
    Arc::new(slice)
}

/// The names and results that values stand on, still to be looked at.
#[derive(Default)]
struct Behind {
    names: Vec<Ustr>,
    results: Vec<u32>,
}

impl Behind {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Name(name) => self.names.push(*name),
            Value::Result(result) => self.results.push(*result),
            Value::Template(values) | Value::Either(values) => {
                values.iter().for_each(|value| self.value(value));
            }
            Value::List(args) | Value::Dict(args) => self.args(args),
            Value::Field(of) | Value::Named(of) => self.value(&of.0),
            Value::Index(of) => {
                self.value(&of.0);
                self.value(&of.1);
            }
            Value::Unknown
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Function(_)
            | Value::Class(_)
            | Value::Import(_)
            | Value::Param(_)
            | Value::Item(_)
            | Value::Truth
            | Value::Pattern(_) => {}
        }
    }

    fn args(&mut self, args: &[Argument]) {
        for arg in args {
            if let ArgumentKind::Keyed(key) = &arg.kind {
                self.value(key);
            }
            self.value(&arg.value);
        }
    }
}
