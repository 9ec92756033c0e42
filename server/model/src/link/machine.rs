//! Runs the roles of all scopes across files, as far as routers and their guards need it.
//!
//! Modules run once, when first needed; functions run when something that runs calls them. Nothing
//! of the analysed program is executed: only assignments, calls and members over symbolic values.

use std::sync::Arc;

use gatewatch_frameworks::{Op, Packs, Place, ScopeRoles, packs};
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::facts::ParamKind;
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::{Ustr, ustr};

use super::objects::{Mounted, Object, Registration};
use super::read::Read;
use super::value::{Func, Given, Receiver, V};

/// Functions inside functions deeper than this are not followed; what they would give is unknown.
const MAX_DEPTH: u32 = 24;
/// Operations after which the machine stops. Real workspaces need a few hundred thousand.
const MAX_STEPS: u32 = 3_000_000;
/// Scopes that run inside each other, blocks and modules that import modules counted in.
const MAX_RUNS: u32 = 160;
/// Elements of a list that a loop runs over.
pub(crate) const MAX_ITEMS: usize = 500;

/// One running scope.
pub(crate) struct Frame {
    pub(crate) file: SourceFile,
    pub(crate) roles: Arc<ScopeRoles>,
    /// What its calls gave so far, by their index.
    pub(crate) results: Vec<V>,
    pub(crate) items: FxHashMap<u32, V>,
    pub(crate) params: Vec<V>,
    /// The frame of the function around.
    pub(crate) outer: Option<u32>,
    pub(crate) receiver: Option<Receiver>,
    /// The function that runs.
    pub(crate) function: Option<Ustr>,
}

impl Frame {
    pub(crate) fn new(file: SourceFile, roles: Arc<ScopeRoles>) -> Self {
        Self {
            file,
            roles,
            results: Vec::new(),
            items: FxHashMap::default(),
            params: Vec::new(),
            outer: None,
            receiver: None,
            function: None,
        }
    }
}

/// What is remembered of a function that was called.
#[derive(Default)]
struct Past {
    /// How often it ran without an effect.
    times: u32,
    /// The steps of its longest such run.
    longest: u32,
    /// Arguments and results.
    runs: Vec<(Option<Receiver>, Vec<(Given, V)>, V)>,
}

pub(crate) struct Machine<'db> {
    pub(crate) db: &'db dyn Db,
    pub(crate) read: Read<'db>,
    pub(crate) tree: FileSet,
    /// The files that are run.
    pub(crate) files: Arc<[SourceFile]>,
    pub(crate) packs: &'static Packs,
    pub(crate) objects: Vec<Object>,
    pub(crate) pending: Vec<super::shapes::Pending>,
    /// The functions and classes that were registered as handlers.
    pub(crate) handlers: FxHashSet<(SourceFile, Ustr)>,
    /// Decorators that have been applied to a function or class, innermost first.
    pub(crate) decorated: FxHashMap<(SourceFile, Ustr), Vec<(V, (SourceFile, Place))>>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) modules: FxHashMap<SourceFile, u32>,
    /// The frames of class bodies that no module runs.
    pub(crate) class_frames: FxHashMap<(SourceFile, Ustr), u32>,
    /// What functions did when they were called.
    past: FxHashMap<(SourceFile, Ustr), Past>,
    /// What was put on the prototypes of constructor functions.
    pub(crate) prototypes: FxHashMap<(SourceFile, Ustr, Ustr), V>,
    /// The names that functions without one are used by.
    pub(crate) names: FxHashMap<(SourceFile, Ustr), Ustr>,
    /// The names that the results of calls are used by.
    pub(crate) result_names: FxHashMap<(SourceFile, Place), Ustr>,
    /// The mounts so far, in order.
    pub(crate) mounts: Vec<Mounted>,
    /// How often something happened that routes depend on.
    pub(crate) effects: u32,
    /// Lines of classes that were resolved as a whole.
    pub(crate) lineages: FxHashMap<(SourceFile, Ustr), super::classes::Line>,
    /// The classes that extend a class directly, once they are asked for.
    pub(crate) extended: Option<Arc<super::classes::Extended>>,
    /// Whether something was served that could not be resolved.
    pub(crate) served_unknown: bool,
    started: Option<(SourceFile, Ustr)>,
    starts: FxHashSet<(SourceFile, Ustr)>,
    /// Functions that were started and then turned out to be called by something else.
    pub(crate) superseded: FxHashSet<(SourceFile, Ustr)>,
    /// Under which conditions each place was reached that registers something; none: always.
    pub(crate) conditions: FxHashMap<(SourceFile, Place), Vec<u32>>,
    /// The sides of unknown conditions that are being run, outermost first.
    branches: Vec<u32>,
    next_branch: u32,
    /// Functions on the stack.
    pub(crate) running: Vec<(SourceFile, Ustr)>,
    pub(crate) entered: FxHashSet<(SourceFile, Ustr)>,
    pub(crate) resolving: u32,
    /// The step at which the value that is being resolved has taken enough.
    pub(crate) enough: u32,
    depth: u32,
    pub(crate) steps: u32,
}

impl<'db> Machine<'db> {
    pub(crate) fn new(db: &'db dyn Db, tree: FileSet, files: Arc<[SourceFile]>) -> Self {
        Self {
            db,
            read: Read::new(db, tree),
            tree,
            files,
            packs: packs(),
            objects: Vec::new(),
            pending: Vec::new(),
            handlers: FxHashSet::default(),
            decorated: FxHashMap::default(),
            frames: Vec::new(),
            modules: FxHashMap::default(),
            class_frames: FxHashMap::default(),
            past: FxHashMap::default(),
            prototypes: FxHashMap::default(),
            names: FxHashMap::default(),
            result_names: FxHashMap::default(),
            mounts: Vec::new(),
            effects: 0,
            lineages: FxHashMap::default(),
            extended: None,
            served_unknown: false,
            started: None,
            starts: FxHashSet::default(),
            superseded: FxHashSet::default(),
            conditions: FxHashMap::default(),
            branches: Vec::new(),
            next_branch: 0,
            running: Vec::new(),
            entered: FxHashSet::default(),
            resolving: 0,
            enough: 0,
            depth: 0,
            steps: 0,
        }
    }

    /// Whether the machine gave up before the end.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps >= MAX_STEPS
    }

    // ---- scopes -------------------------------------------------------------------------------

    /// Runs a module, once.
    pub(crate) fn module(&mut self, file: SourceFile) -> u32 {
        if let Some(&frame) = self.modules.get(&file) {
            return frame;
        }
        let roles = self.read.module(file);
        let frame = self.push_frame(Frame::new(file, Arc::clone(&roles)));
        self.modules.insert(file, frame);
        let steps = self.steps;
        self.run(frame, &roles.ops, &mut Vec::new());
        // Whatever needed it first isn't measured by how long it takes.
        let took = self.steps.saturating_sub(steps);
        self.enough = self.enough.saturating_add(took);
        frame
    }

    pub(crate) fn push_frame(&mut self, frame: Frame) -> u32 {
        self.frames.push(frame);
        u32::try_from(self.frames.len() - 1).unwrap_or(u32::MAX)
    }

    /// Runs a function that nothing has called so far, with parameters that have only names.
    pub(crate) fn start_once(&mut self, file: SourceFile, id: Ustr) -> V {
        self.module(file);
        if self.entered.contains(&(file, id)) {
            return V::Unknown;
        }
        self.starts.insert((file, id));
        self.started = Some((file, id));
        let mut value = V::Unknown;
        match self.owner(file, id) {
            // A method needs an instance: of each class that has it and that nothing extends.
            Some(class) if !self.is_static(file, id) => {
                for (class_file, class) in self.leaves(class) {
                    let place = (file, Place::of_body(id));
                    let object = self.instantiate(class_file, class, Vec::new(), place);
                    if self.entered.contains(&(file, id)) {
                        continue;
                    }
                    if let V::Object(object) = object {
                        let func = Func {
                            receiver: Some(Receiver::Object(object)),
                            ..Func::plain(file, id)
                        };
                        value = self.call_function(func, &[]);
                        self.entered.remove(&(file, id));
                    }
                }
                self.entered.insert((file, id));
            }
            _ => value = self.call_function(Func::plain(file, id), &[]),
        }
        self.started = None;
        value
    }

    /// The function that [`Self::start`] is running.
    pub(crate) fn current_start(&self) -> Option<(SourceFile, Ustr)> {
        self.started
    }

    /// Calls a function. One that was called often, takes long and never had to do with routers is not
    /// run again: what it would give is known from the same arguments, or unknown.
    pub(crate) fn call_function(&mut self, func: Func, args: &[(Given, V)]) -> V {
        const OFTEN: u32 = 6;
        const LONG: u32 = 200;
        let key = (func.file, func.id);
        let plain = func.env.is_none() && !args.iter().any(|(_, value)| value.may_route());
        if plain && let Some(past) = self.past.get(&key) {
            let same = past
                .runs
                .iter()
                .find(|run| run.0 == func.receiver && run.1 == args);
            if let Some((_, _, result)) = same {
                return result.clone();
            }
            if past.times >= OFTEN && past.longest >= LONG {
                return V::Unknown;
            }
        }
        let (steps, effects) = (self.steps, self.effects);
        let result = self.run_function(func, args);
        let took = self.steps.saturating_sub(steps);
        let past = self.past.entry(key).or_default();
        if plain && self.effects == effects {
            past.times += 1;
            past.longest = past.longest.max(took);
            if past.runs.len() < 16 {
                past.runs
                    .push((func.receiver, args.to_vec(), result.clone()));
            }
        }
        result
    }

    fn run_function(&mut self, func: Func, args: &[(Given, V)]) -> V {
        let key = (func.file, func.id);
        if self.running.len() as u32 >= MAX_DEPTH || self.running.contains(&key) || self.exhausted()
        {
            return V::Unknown;
        }
        let Some(roles) = self.read.body(func.file, func.id) else {
            return V::Unknown;
        };
        let Some(signature) = self.read.signature(func.file, func.id) else {
            return V::Unknown;
        };
        self.module(func.file);
        self.entered.insert(key);
        if self.starts.contains(&key) && self.started != Some(key) {
            self.superseded.insert(key);
        }
        self.running.push(key);
        let params = self.bind(&signature.params, args, func);
        let frame = self.push_frame(Frame {
            params,
            outer: func.env,
            receiver: func.receiver,
            function: Some(func.id),
            ..Frame::new(func.file, Arc::clone(&roles))
        });
        let mut returns = Vec::new();
        self.run(frame, &roles.ops, &mut returns);
        self.running.pop();
        returns.retain(|value| !matches!(value, V::Null | V::Unknown));
        returns.dedup();
        match returns
            .iter()
            .position(|value| matches!(value.settled(), V::Object(_)))
        {
            Some(at) => returns.swap_remove(at),
            None if returns.len() <= 1 => returns.pop().unwrap_or(V::Unknown),
            None => V::Either(returns.into()),
        }
    }

    fn bind(
        &mut self,
        params: &[gatewatch_frameworks::ParamRole],
        args: &[(Given, V)],
        func: Func,
    ) -> Vec<V> {
        let mut bound = Vec::with_capacity(params.len());
        let mut position = 0;
        let positional: Vec<&V> = args
            .iter()
            .filter(|(given, _)| *given == Given::Position)
            .map(|(_, value)| value)
            .collect();
        let is_self = |index: usize, param: &gatewatch_frameworks::ParamRole| {
            param.kind == ParamKind::Receiver
                || (index == 0
                    && match func.receiver {
                        Some(Receiver::Object(_)) => {
                            matches!(param.name.as_str(), "self" | "cls")
                        }
                        Some(Receiver::Class(..)) => matches!(param.name.as_str(), "cls" | "klass"),
                        None => false,
                    })
        };
        for (index, param) in params.iter().enumerate() {
            if is_self(index, param) {
                let receiver = match func.receiver {
                    Some(receiver @ Receiver::Object(_)) => receiver.value(),
                    Some(receiver) if param.kind != ParamKind::Receiver => receiver.value(),
                    // `Type::method(value)`
                    _ => match positional.get(position) {
                        Some(value) => {
                            position += 1;
                            (*value).clone()
                        }
                        None => V::Symbol(param.name),
                    },
                };
                bound.push(receiver);
                continue;
            }
            let named = args.iter().find_map(|(given, value)| {
                (*given == Given::Name(param.name)).then(|| value.clone())
            });
            let value = match (named, param.kind) {
                (Some(value), _) => value,
                (None, ParamKind::Rest) => {
                    let rest = positional.get(position..).unwrap_or_default();
                    position = positional.len();
                    V::List(rest.iter().map(|value| (*value).clone()).collect())
                }
                (None, ParamKind::RestMap) => {
                    let known = |name: Ustr| params.iter().any(|param| param.name == name);
                    let rest = args.iter().filter_map(|(given, value)| match given {
                        Given::Name(name) if !known(*name) => Some((V::text(name), value.clone())),
                        _ => None,
                    });
                    V::Dict(rest.collect())
                }
                (None, ParamKind::Keyword) => V::Unknown,
                (None, _) => match positional.get(position) {
                    Some(value) => {
                        position += 1;
                        (*value).clone()
                    }
                    None => V::Unknown,
                },
            };
            let value = match (&value, &param.default) {
                (V::Unknown, Some(default)) => {
                    // Defaults see the module's names only.
                    let frame = self.module(func.file);
                    self.resolve(default, frame)
                }
                // What is given can't be known, but the parameter says what it is without it.
                (given, Some(default)) if given.is_symbolic() => {
                    let frame = self.module(func.file);
                    match self.resolve(default, frame) {
                        default @ (V::Null | V::Text(_)) => V::Either([value, default].into()),
                        _ => value,
                    }
                }
                (V::Unknown, None) => V::Symbol(param.name),
                _ => value,
            };
            bound.push(value);
        }
        bound
    }

    pub(crate) fn run(&mut self, frame: u32, ops: &[Op], returns: &mut Vec<V>) {
        if self.depth >= MAX_RUNS {
            return;
        }
        self.depth += 1;
        // A value may need a module that wasn't run yet: that is work of its own.
        let resolving = std::mem::take(&mut self.resolving);
        let enough = self.enough;
        self.run_all(frame, ops, returns);
        self.enough = enough;
        self.resolving = resolving;
        self.depth -= 1;
    }

    fn run_all(&mut self, frame: u32, ops: &[Op], returns: &mut Vec<V>) {
        for op in ops {
            self.steps += 1;
            if self.exhausted() {
                return;
            }
            if self.steps.is_multiple_of(1024) {
                self.db.unwind_if_revision_cancelled();
            }
            match op {
                Op::Call {
                    callee,
                    args,
                    result,
                    place,
                } => {
                    let value = self.call_op(frame, callee, args, *place);
                    self.gave(frame, *result, value);
                }
                Op::Decorate {
                    decorator,
                    target,
                    place,
                    ..
                } => {
                    let decorator = self.resolve(decorator, frame);
                    let target = self.resolve(target, frame);
                    let Some(file) = self.file_of(frame) else {
                        continue;
                    };
                    self.decorate(decorator, target, (file, *place));
                }
                Op::Store { base, name, value } => {
                    let base = self.resolve(base, frame);
                    let value = self.resolve(value, frame);
                    self.store(&base, *name, value);
                }
                Op::Loop {
                    item,
                    subject,
                    body,
                } => {
                    let subject = self.resolve(subject, frame);
                    let items = match subject.settled() {
                        V::List(items) => items.iter().take(MAX_ITEMS).cloned().collect(),
                        V::Dict(entries) => entries
                            .iter()
                            .take(MAX_ITEMS)
                            .map(|(key, _)| key.clone())
                            .collect(),
                        _ => vec![V::Unknown],
                    };
                    for value in items {
                        if let Some(frame) = self.frames.get_mut(frame as usize) {
                            frame.items.insert(*item, value);
                        }
                        self.run(frame, body, returns);
                    }
                }
                Op::Collect { result, body } => {
                    let mut values = Vec::new();
                    self.run(frame, body, &mut values);
                    self.gave(frame, *result, V::List(values.into()));
                }
                Op::Branch {
                    test,
                    then,
                    otherwise,
                } => {
                    // `if TYPE_CHECKING`, `if False`: a condition that is known decides.
                    match self.resolve(test, frame) {
                        V::Bool(true) => self.run(frame, then, returns),
                        V::Bool(false) => self.run(frame, otherwise, returns),
                        _ => {
                            let start = self.mounts.len();
                            // The sides of one condition differ in the last bit.
                            let side = self.next_branch;
                            self.next_branch += 2;
                            self.under(side, |machine| machine.run(frame, then, returns));
                            let middle = self.mounts.len();
                            self.under(side + 1, |machine| machine.run(frame, otherwise, returns));
                            self.alternatives(start, middle);
                        }
                    }
                }
                Op::Return(value) => {
                    let value = self.resolve(value, frame);
                    returns.push(value);
                }
            }
        }
    }

    /// A call of a running scope gave a value.
    fn gave(&mut self, frame: u32, result: u32, value: V) {
        let Some(frame) = self.frames.get_mut(frame as usize) else {
            return;
        };
        let result = result as usize;
        if result >= frame.results.len() {
            frame.results.resize(result + 1, V::Unknown);
        }
        if let Some(at) = frame.results.get_mut(result) {
            *at = value;
        }
    }

    /// Runs one side of a condition that isn't known.
    fn under(&mut self, side: u32, run: impl FnOnce(&mut Self)) {
        self.branches.push(side);
        run(self);
        self.branches.pop();
    }

    /// Remembers under which conditions something is registered.
    pub(crate) fn note_conditions(&mut self, place: (SourceFile, Place)) {
        if !self.branches.is_empty() {
            self.conditions.insert(place, self.branches.clone());
        }
    }

    /// One child mounted on one parent in both branches of a condition stands at one of the paths. The
    /// path that is known says it; one that only has a name says no more.
    fn alternatives(&mut self, start: usize, middle: usize) {
        let then = self.mounts.get(start..middle).unwrap_or_default();
        let otherwise = self.mounts.get(middle..).unwrap_or_default();
        let mut dropped = Vec::new();
        for one in then {
            for other in otherwise {
                if (one.parent, one.child) == (other.parent, other.child) {
                    match (one.symbolic, other.symbolic) {
                        (true, false) => dropped.push((one.parent, one.index)),
                        (false, true) => dropped.push((other.parent, other.index)),
                        _ => {}
                    }
                }
            }
        }
        for (parent, index) in dropped {
            if let Some(registration) = self
                .objects
                .get_mut(parent as usize)
                .and_then(|object| object.registered.get_mut(index))
            {
                *registration = Registration::Nothing;
            }
        }
    }

    pub(crate) fn file_of(&self, frame: u32) -> Option<SourceFile> {
        self.frames.get(frame as usize).map(|frame| frame.file)
    }

    fn store(&mut self, base: &V, name: Ustr, value: V) {
        let (object, name) = match base.settled() {
            V::Object(object) => (*object, name),
            // `app.config["PREFIX"] = …`
            V::Member(member) => match member.0.settled() {
                V::Object(object) => (*object, ustr(&format!("{}.{name}", member.1))),
                // `Widget.prototype.show = …`
                V::Func(func) if member.1.as_str() == "prototype" => {
                    self.prototypes.insert((func.file, func.id, name), value);
                    return;
                }
                _ => return,
            },
            // `Server.instance = new Server()`
            V::Class(file, id) => {
                if value.may_route() {
                    self.effects += 1;
                }
                self.prototypes.insert((*file, *id, name), value);
                return;
            }
            _ => return,
        };
        if value.may_route() {
            self.effects += 1;
        }
        if let Some(object) = self.objects.get_mut(object as usize) {
            object.fields.insert(name, value);
        }
    }
}
