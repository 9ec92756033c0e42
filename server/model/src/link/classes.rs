//! Classes: what they are made of, their methods and attributes.

use std::sync::Arc;

use gatewatch_frameworks::{ScopeRoles, Value};
use gatewatch_source::SourceFile;
use gatewatch_syntax::heads;
use rustc_hash::FxHashMap;
use ustr::{Ustr, ustr};

use super::machine::{Frame, Machine};
use super::value::{Receiver, V};

/// The classes of the workspace that a class is made of, itself first, and the external ones.
pub(crate) type Line = Arc<(Vec<(SourceFile, Ustr)>, Vec<Ustr>)>;

/// The classes that extend a class directly.
pub(crate) type Extended = FxHashMap<(SourceFile, Ustr), Vec<(SourceFile, Ustr)>>;

impl Machine<'_> {
    /// The classes of the workspace that a class is made of, itself first, and the external ones.
    pub(crate) fn lineage(&mut self, file: SourceFile, id: Ustr) -> Line {
        if let Some(line) = self.lineages.get(&(file, id)) {
            return Arc::clone(line);
        }
        let mut own = vec![(file, id)];
        let mut external = Vec::new();
        let mut whole = true;
        let mut at = 0;
        while let Some(&(file, id)) = own.get(at) {
            at += 1;
            if own.len() > 64 {
                break;
            }
            let Some(class) = self.read.class(file, id) else {
                continue;
            };
            for base in &class.bases {
                let base = match self.resolve_in_class(file, &class.scope, base).settled() {
                    // `Generic[T]`, `CRUDBase[Model]`
                    V::Index(index) => index.0.clone(),
                    other => other.clone(),
                };
                match base {
                    V::Class(file, id) => {
                        if !own.contains(&(file, id)) {
                            own.push((file, id));
                        }
                    }
                    V::External(name) => external.push(name),
                    _ => whole = false,
                }
            }
        }
        let line = Arc::new((own, external));
        // While modules import each other in a circle, a base may be not there yet.
        if whole {
            self.lineages.insert((file, id), Arc::clone(&line));
        }
        line
    }

    pub(crate) fn external_bases(&mut self, file: SourceFile, id: Ustr) -> Vec<Ustr> {
        self.lineage(file, id).1.clone()
    }

    pub(crate) fn find_method(
        &mut self,
        file: SourceFile,
        id: Ustr,
        name: Ustr,
    ) -> Option<(SourceFile, Ustr)> {
        for &(file, id) in &self.lineage(file, id).0 {
            if let Some(class) = self.read.class(file, id)
                && let Some((_, method)) = class.methods.iter().rev().find(|(own, _)| *own == name)
            {
                return Some((file, *method));
            }
            if let Some(method) = self.impl_method(file, id, name) {
                return Some((file, method));
            }
        }
        None
    }

    /// A method of the classes behind `class` in the line of a receiver.
    pub(crate) fn find_method_above(
        &mut self,
        receiver: Receiver,
        class: (SourceFile, Ustr),
        name: Ustr,
    ) -> Option<(SourceFile, Ustr)> {
        let (file, id) = self.class_of(receiver)?;
        let line = self.lineage(file, id);
        let above = line
            .0
            .iter()
            .position(|at| *at == class)
            .map_or(0, |at| at + 1);
        for &(file, id) in line.0.get(above..)? {
            if let Some(class) = self.read.class(file, id)
                && let Some((_, method)) = class.methods.iter().rev().find(|(own, _)| *own == name)
            {
                return Some((file, *method));
            }
        }
        None
    }

    /// The class that a receiver is, or is an instance of.
    pub(crate) fn class_of(&self, receiver: Receiver) -> Option<(SourceFile, Ustr)> {
        match receiver {
            Receiver::Object(object) => self.objects.get(object as usize)?.class(),
            Receiver::Class(file, id) => Some((file, id)),
        }
    }

    /// The class in whose body a function, or one around it, is defined.
    pub(crate) fn owner(&mut self, file: SourceFile, function: Ustr) -> Option<(SourceFile, Ustr)> {
        let (class, _) = function.rsplit_once('.')?;
        let class = ustr(class);
        let roles = self.read.class(file, class)?;
        if roles.is_module {
            return None;
        }
        if !self.read.is_rust(file) {
            return Some((file, class));
        }
        // An `impl` stands for its type.
        let frame = self.module(file);
        match self.resolve(&Value::Name(roles.name), frame) {
            V::Class(file, id) => Some((file, id)),
            _ => Some((file, class)),
        }
    }

    /// Whether a function of a class needs no instance.
    pub(crate) fn is_static(&self, file: SourceFile, function: Ustr) -> bool {
        gatewatch_syntax::function_home(self.db, file, function).is_some_and(|facts| {
            facts
                .signature()
                .is_some_and(|signature| signature.is_static)
        })
    }

    /// `super` in a running function.
    pub(crate) fn above(&mut self, frame: u32) -> Option<V> {
        let mut at = Some(frame);
        for _ in 0..16 {
            let frame = self.frames.get(at? as usize)?;
            let (file, function, receiver) = (frame.file, frame.function, frame.receiver);
            at = frame.outer;
            if let (Some(function), Some(receiver)) = (function, receiver) {
                let class = self.owner(file, function)?;
                return Some(V::Super(receiver, class));
            }
        }
        None
    }

    /// The classes that have a class in their line and that nothing extends; itself when nothing does.
    pub(crate) fn leaves(&mut self, class: (SourceFile, Ustr)) -> Vec<(SourceFile, Ustr)> {
        let mut leaves = Vec::new();
        let mut waiting = vec![class];
        let mut seen = waiting.clone();
        let extended = self.extended();
        while let Some(at) = waiting.pop() {
            match extended.get(&at) {
                Some(by) if seen.len() < 64 => {
                    for &class in by {
                        if !seen.contains(&class) {
                            seen.push(class);
                            waiting.push(class);
                        }
                    }
                }
                _ => leaves.push(at),
            }
        }
        leaves.sort_by(|a, b| {
            (a.0.path(self.db), a.1.as_str()).cmp(&(b.0.path(self.db), b.1.as_str()))
        });
        leaves.truncate(16);
        leaves
    }

    /// Which classes extend which, over the files that are run.
    fn extended(&mut self) -> Arc<Extended> {
        if let Some(extended) = &self.extended {
            return Arc::clone(extended);
        }
        let mut extended = Extended::default();
        for file in Arc::clone(&self.files).iter().copied() {
            for (_, code) in &heads(self.db, file).items {
                for class in code.classes.iter().filter(|class| class.bases.len > 0) {
                    let Some(roles) = self.read.class(file, class.id) else {
                        continue;
                    };
                    for base in &roles.bases {
                        let base = self.resolve_in_class(file, &roles.scope, base);
                        let base = match base.settled() {
                            V::Index(index) => index.0.clone(),
                            other => other.clone(),
                        };
                        if let V::Class(base_file, id) = base {
                            extended
                                .entry((base_file, id))
                                .or_default()
                                .push((file, class.id));
                        }
                    }
                }
            }
        }
        let extended = Arc::new(extended);
        self.extended = Some(Arc::clone(&extended));
        extended
    }

    /// A method of a Rust type: its `impl` blocks stand beside it.
    fn impl_method(&mut self, file: SourceFile, id: Ustr, name: Ustr) -> Option<Ustr> {
        if !self.read.is_rust(file) {
            return None;
        }
        let type_name = id.rsplit('.').next().map(ustr)?;
        for (of, _, block) in gatewatch_frameworks::impls(self.db, file).iter() {
            if *of == type_name
                && let Some(class) = self.read.class(file, *block)
                && let Some((_, method)) = class.methods.iter().find(|(own, _)| *own == name)
            {
                return Some(*method);
            }
        }
        None
    }

    /// The value of a class attribute, by the class itself or its bases.
    pub(crate) fn class_attribute(&mut self, file: SourceFile, id: Ustr, name: Ustr) -> Option<V> {
        for &(file, id) in &self.lineage(file, id).0 {
            // The module has run the class body; what it made there is what everybody sees.
            let module = self.read.module(file);
            if let Some(names) = module.class(id) {
                if let Some((_, value)) = names.iter().find(|(own, _)| *own == name) {
                    let frame = self.module(file);
                    let value = self.resolve(value, frame);
                    return Some(self.unwrapped(&value));
                }
                continue;
            }
            let Some(class) = self.read.class(file, id) else {
                continue;
            };
            if let Some(value) = class.scope.name(name) {
                let frame = self.class_frame(file, id, &class.scope);
                let value = self.resolve(value, frame);
                return Some(self.unwrapped(&value));
            }
        }
        None
    }

    /// The frame of a class body, run once.
    fn class_frame(&mut self, file: SourceFile, id: Ustr, scope: &ScopeRoles) -> u32 {
        if let Some(&frame) = self.class_frames.get(&(file, id)) {
            return frame;
        }
        let outer = self.module(file);
        let roles = Arc::new(ScopeRoles {
            names: scope.names.clone(),
            ..ScopeRoles::default()
        });
        let frame = self.push_frame(Frame {
            outer: Some(outer),
            ..Frame::new(file, roles)
        });
        self.class_frames.insert((file, id), frame);
        self.run(frame, &scope.ops, &mut Vec::new());
        frame
    }

    /// Resolves a value of a class body or signature: its calls are ops of `scope`.
    pub(crate) fn resolve_in_class(
        &mut self,
        file: SourceFile,
        scope: &ScopeRoles,
        value: &Value,
    ) -> V {
        let outer = self.module(file);
        // What is imported is the same wherever it is named.
        if scope.ops.is_empty() && is_imported(value) {
            return self.resolve(value, outer);
        }
        let roles = Arc::new(ScopeRoles {
            names: scope.names.clone(),
            ..ScopeRoles::default()
        });
        let frame = self.push_frame(Frame {
            outer: Some(outer),
            ..Frame::new(file, roles)
        });
        self.run(frame, &scope.ops, &mut Vec::new());
        self.resolve(value, frame)
    }
}

/// Whether a value is an import, or a member of one.
fn is_imported(value: &Value) -> bool {
    match value {
        Value::Import(_) => true,
        Value::Field(field) => is_imported(&field.0),
        _ => false,
    }
}
