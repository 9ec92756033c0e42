//! Framework packs: which names play which role, as data.
//!
//! A pack is a TOML file under `queries/<language>/frameworks/`. It says which callables make a
//! router-like object, what the object's methods do, what a class of the framework contributes, and
//! which of the framework's own callables impose a control. The shape engines in the model read
//! them; no engine knows a framework's name.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use ustr::{Ustr, ustr};

use crate::locate::Locator;

/// One framework.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pack {
    /// The name that route tables show.
    pub name: Ustr,
    /// Import roots: a workspace that imports none of them can't use the pack.
    pub packages: Vec<Ustr>,
    /// How parameters are written in paths.
    #[serde(default)]
    pub path_style: PathStyle,
    /// Objects that routes are registered on.
    #[serde(default)]
    pub object: Vec<ObjectKind>,
    /// What the objects' methods do.
    #[serde(default)]
    pub method: Vec<Method>,
    /// What classes with these bases contribute.
    #[serde(default)]
    pub class: Vec<ClassShape>,
    /// Callables that serve an object: where a workspace calls one, nothing else of that kind is served.
    #[serde(default)]
    pub server: Vec<Server>,
    /// Callables that stand for one of their arguments.
    #[serde(default)]
    pub wrapper: Vec<Wrapper>,
    /// Callables of the framework, and its companions, that impose a control.
    #[serde(default)]
    pub control: Vec<LibraryControl>,
    /// Markers that name a dependency in a signature.
    #[serde(default)]
    pub injection: Vec<Injection>,
    /// Traits whose implementations take part in a handler's signature.
    #[serde(default)]
    pub extractor: Vec<Extractor>,
}

/// How a framework writes parameters in paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathStyle {
    /// `{name}`, `{name:converter}`.
    #[default]
    Braces,
    /// `<converter:name>`.
    Angles,
    /// `:name`, `:name(pattern)`, `*rest`.
    Colons,
    /// `{name}`, `:name` and `*rest` alike.
    Mixed,
}

/// Which routes of an object its guards cover, by the order in which both are registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covers {
    /// All of them.
    #[default]
    All,
    /// Those registered after the guard.
    Later,
    /// Those registered before the guard.
    Earlier,
}

/// An object that routes are registered on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ObjectKind {
    /// Its name in the pack.
    pub name: Ustr,
    /// The callables that make one, by whole name.
    #[serde(default)]
    pub new: Vec<Ustr>,
    /// Whether it serves by itself, without being mounted.
    #[serde(default)]
    pub serves: bool,
    /// The argument with a prefix for all of its routes.
    #[serde(default)]
    pub prefix: Option<Locator>,
    /// The argument whose text, behind a `/`, is the prefix where `prefix` is not given.
    #[serde(default)]
    pub prefix_from_name: Option<Locator>,
    /// The argument with its guards.
    #[serde(default)]
    pub guards: Option<Locator>,
    /// The argument with guards that also reach what is isolated from the others.
    #[serde(default)]
    pub middleware: Option<Locator>,
    /// The argument with a list of routes and mounts.
    #[serde(default)]
    pub routes: Option<Locator>,
    /// The argument with the object that this one is mounted on.
    #[serde(default)]
    pub mounted_on: Option<Locator>,
    /// Which routes its guards cover.
    #[serde(default)]
    pub covers: Covers,
    /// The method that the constructor itself performs (`get(handler)` makes a method router with a route), by
    /// the constructor's last name.
    #[serde(default)]
    pub performs: bool,
    /// Whether guards of what it is mounted on don't reach its routes (a sub-application).
    #[serde(default)]
    pub isolated: bool,
    /// Members that are the object itself under another name (`app.router`).
    #[serde(default)]
    pub itself: Vec<Ustr>,
    /// The argument with a dict of children by path.
    #[serde(default)]
    pub mounts: Option<Locator>,
    /// The argument with functions that are called with the object when it starts.
    #[serde(default)]
    pub calls: Option<Locator>,
    /// Whether a route of `/` below a prefix is the prefix alone.
    #[serde(default)]
    pub bare_root: bool,
    /// Whether a request that none of its routes answers goes on to what was mounted later, behind its guards; and
    /// whether a handler that isn't given what comes next ends the chain wherever it stands in it.
    #[serde(default)]
    pub falls_through: bool,
}

/// A callable that serves an object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// Whole names.
    pub names: Vec<Ustr>,
    /// The argument with the object.
    pub serves: Locator,
}

/// What a method does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// Registers a route.
    Route,
    /// Registers a child object.
    Mount,
    /// Registers the object itself on another one.
    MountSelf,
    /// Registers a guard.
    Guard,
    /// Registers guards and children, in the order of the arguments, below an optional path.
    Use,
    /// Makes a child object at a path.
    Child,
    /// Registers a class with the routes that its methods declare.
    Class,
    /// Registers handlers that say their verb and path themselves, in an attribute.
    Described,
    /// Nothing that matters; gives the object back.
    Nothing,
}

/// How the methods (verbs) of a route are given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verbs {
    /// The name of the registering method.
    Name,
    /// These.
    Fixed(Vec<Ustr>),
    /// An argument, with these when it isn't given.
    Argument {
        /// Where the verbs are.
        at: Locator,
        /// When they aren't.
        default: Vec<Ustr>,
    },
}

/// A method of an object.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Method {
    /// The kinds of object that have it.
    pub on: Vec<Ustr>,
    /// Its names.
    pub names: Vec<Ustr>,
    /// What it does.
    pub does: Does,
    /// The verbs of a route.
    #[serde(default)]
    pub verbs: Option<Verbs>,
    /// The argument with the path or paths.
    #[serde(default)]
    pub path: Option<Locator>,
    /// The argument with the handler; without one the method is a decorator.
    #[serde(default)]
    pub handler: Option<Locator>,
    /// The argument with the guards of the route, mount or object.
    #[serde(default)]
    pub guards: Option<Locator>,
    /// The argument with the child.
    #[serde(default)]
    pub child: Option<Locator>,
    /// Whether a mount's path replaces the child's own prefix.
    #[serde(default)]
    pub replaces_prefix: bool,
    /// The kind of the object that it returns; without one the object itself.
    #[serde(default)]
    pub returns: Option<Ustr>,
    /// The kind of entry point of a route, HTTP without one; for a guard the only kind that it runs for, all without one.
    #[serde(default)]
    pub kind: Option<Ustr>,
    /// Whether the handler is called as it is, so that injected guards (`Depends`) don't run for it.
    #[serde(default)]
    pub plain: bool,
    /// Whether the guard is what its argument makes when it is called with the arguments beside it.
    #[serde(default)]
    pub calls: bool,
    /// For a guard: how it takes part (`middleware`, `before`, `layer`).
    #[serde(default)]
    pub via: Option<Ustr>,
    /// Whether a guard that is registered here can deny at all (an after-request hook can't).
    #[serde(default)]
    pub cannot_deny: bool,
    /// Whether the guard runs only when a parameter of this name is in the path.
    #[serde(default)]
    pub for_param: bool,
    /// The attributes in which handlers describe themselves: positional arguments are verbs, `path` is the path.
    #[serde(default)]
    pub described_by: Vec<Ustr>,
}

/// What a class with one of these bases contributes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClassShape {
    /// Whole names of the bases.
    pub bases: Vec<Ustr>,
    /// Methods that answer a verb of the same name.
    #[serde(default)]
    pub verbs: Vec<Ustr>,
    /// The attribute that lists its verbs where it has no method for each.
    #[serde(default)]
    pub verbs_attribute: Option<Ustr>,
    /// The methods that answer all verbs; the first that it has counts.
    #[serde(default)]
    pub dispatch: Vec<Ustr>,
    /// Attributes with guards for all of its methods.
    #[serde(default)]
    pub guards: Vec<Ustr>,
    /// Decorators that make a route of a method, registered with the class: path first, `methods` by name.
    #[serde(default)]
    pub exposes: Vec<Ustr>,
    /// The class's method that registers it on its first argument.
    #[serde(default)]
    pub registers: Option<Ustr>,
    /// The path that all its exposed methods stand below: parts `{attribute}`, or `{attribute|default}`, in
    /// which `{name}` is the class's name in small letters; the first whose attributes are all there.
    #[serde(default)]
    pub base_path: Vec<String>,
    /// What the name of a class may end in, without it being part of `{name}`.
    #[serde(default)]
    pub name_suffixes: Vec<String>,
    /// Methods that are routes of the base path without being exposed, with their verbs.
    #[serde(default)]
    pub members: std::collections::BTreeMap<Ustr, Vec<Ustr>>,
    /// Whether each other public method is a route by its name.
    #[serde(default)]
    pub public_members: bool,
    /// Beginnings of names that are no members.
    #[serde(default)]
    pub hidden: Vec<String>,
    /// The attribute that lists further methods that are no members.
    #[serde(default)]
    pub hidden_attribute: Option<Ustr>,
    /// The kind of entry point; HTTP without one.
    #[serde(default)]
    pub kind: Option<Ustr>,
}

/// A callable that stands for one of its arguments: `from_fn(f)`, `partial(f)`, `View.as_view()`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wrapper {
    /// Whole names.
    pub names: Vec<Ustr>,
    /// The argument that it stands for.
    pub inner: Locator,
    /// Whether it stands for what that argument makes when it is called with the arguments beside it.
    #[serde(default)]
    pub calls: bool,
    /// The only kind of entry point that such a guard runs for, and classes that extend it; all without one.
    #[serde(default)]
    pub kind: Option<Ustr>,
}

/// A library's callable that imposes a control.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LibraryControl {
    /// Whole names.
    pub names: Vec<Ustr>,
    /// Its effects: `authentication`, `authorization`, …; none for a callable that is known to impose nothing.
    #[serde(default)]
    pub effects: Vec<Ustr>,
    /// `enforcing`, `optional`, `advisory` or `unknown`.
    #[serde(default = "enforcing")]
    pub strength: Ustr,
    /// It is optional when this argument is this literal.
    #[serde(default)]
    pub optional_when: Option<When>,
    /// It authorises as well when one of these arguments is given.
    #[serde(default)]
    pub authorizes_with: Option<Locator>,
    /// The argument with a list of paths that it leaves open.
    #[serde(default)]
    pub except: Option<Locator>,
    /// It guards as a context as well: `with permission.require():`.
    #[serde(default)]
    pub context: bool,
    /// What it demands was given to the object that it is a method of.
    #[serde(default)]
    pub of_object: bool,
    /// One of what it demands is enough.
    #[serde(default)]
    pub one_is_enough: bool,
}

fn enforcing() -> Ustr {
    ustr("enforcing")
}

/// An argument that has a certain literal value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// Which argument.
    pub at: Locator,
    /// The value: `true`, `false`, `null` or a text.
    pub is: Ustr,
}

/// A marker that names a dependency in a signature: `Depends(guard)`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Injection {
    /// Whole names of the marker.
    pub markers: Vec<Ustr>,
    /// The argument with the dependency; when it isn't given, the parameter's type is the dependency.
    pub at: Locator,
    /// The argument with the scopes that are demanded.
    #[serde(default)]
    pub scopes: Option<Locator>,
}

/// A trait whose implementations take part in a handler's signature.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Extractor {
    /// Last names of the traits.
    pub traits: Vec<Ustr>,
    /// The methods that can reject.
    pub methods: Vec<Ustr>,
    /// They make what a parameter takes that may be absent.
    #[serde(default)]
    pub optional: bool,
}

/// A kind of object, as the packs name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct KindId {
    pack: u16,
    object: u16,
}

/// All packs, with their indices.
#[derive(Debug, Default)]
pub struct Packs {
    packs: Vec<Pack>,
    constructors: FxHashMap<Ustr, KindId>,
    methods: FxHashMap<(KindId, Ustr), (usize, usize)>,
    classes: FxHashMap<Ustr, (usize, usize)>,
    servers: FxHashMap<Ustr, (usize, usize)>,
    wrappers: FxHashMap<Ustr, (usize, usize)>,
    controls: FxHashMap<Ustr, (usize, usize)>,
    injections: FxHashMap<Ustr, (usize, usize)>,
    /// By the folder of the language.
    builders: FxHashMap<Ustr, BuilderNames>,
    problems: Vec<String>,
}

/// What only the code that builds routers calls, as far as names tell.
#[derive(Debug, Default)]
pub struct BuilderNames {
    /// Last names of callables, and types whose constructors are called.
    pub names: FxHashSet<Ustr>,
    /// Functions that serve an application, by the last name of their module and their own: everything has a `run`.
    pub servers: FxHashSet<(Ustr, Ustr)>,
}

const EMBEDDED: &[(&str, &str)] = &[
    (
        "python/frameworks/fastapi.toml",
        include_str!("../../../queries/python/frameworks/fastapi.toml"),
    ),
    (
        "python/frameworks/flask.toml",
        include_str!("../../../queries/python/frameworks/flask.toml"),
    ),
    (
        "typescript/frameworks/express.toml",
        include_str!("../../../queries/typescript/frameworks/express.toml"),
    ),
    (
        "rust/frameworks/axum.toml",
        include_str!("../../../queries/rust/frameworks/axum.toml"),
    ),
];

/// The packs that come with the tool.
pub fn packs() -> &'static Packs {
    static PACKS: OnceLock<Packs> = OnceLock::new();
    PACKS.get_or_init(|| {
        let mut packs = Packs::default();
        for (place, text) in EMBEDDED {
            packs.add(place, text);
        }
        packs
    })
}

impl Packs {
    fn add(&mut self, place: &str, text: &str) {
        let pack: Pack = match toml::from_str(text) {
            Ok(pack) => pack,
            Err(error) => {
                self.problems.push(format!("{place}: {error}"));
                return;
            }
        };
        let at = self.packs.len();
        let Ok(pack_index) = u16::try_from(at) else {
            return;
        };
        let language = ustr(place.split('/').next().unwrap_or_default());
        let mut builders = self.builders.remove(&language).unwrap_or_default();
        let mut kinds: FxHashMap<Ustr, KindId> = FxHashMap::default();
        for (index, object) in pack.object.iter().enumerate() {
            let Ok(object_index) = u16::try_from(index) else {
                continue;
            };
            let kind = KindId {
                pack: pack_index,
                object: object_index,
            };
            kinds.insert(object.name, kind);
            for name in &object.new {
                self.constructors.insert(*name, kind);
                // Rust's constructors are `Router::new`: the type's name tells.
                let mut parts = name.rsplit('.');
                match (parts.next(), parts.next()) {
                    (Some("new" | "default" | "with_path"), Some(of)) => {
                        builders.names.insert(ustr(of));
                    }
                    // `get(handler)` is no sign: everything has a `get`.
                    (Some(last), _) if !object.performs || last.starts_with(char::is_uppercase) => {
                        builders.names.insert(ustr(last));
                    }
                    _ => {}
                };
            }
        }
        for (index, method) in pack.method.iter().enumerate() {
            for on in &method.on {
                let Some(&kind) = kinds.get(on) else {
                    self.problems.push(format!("{place}: no object `{on}`"));
                    continue;
                };
                for name in &method.names {
                    self.methods.insert((kind, *name), (at, index));
                    if matches!(method.does, Does::Mount | Does::MountSelf) && name.contains('_') {
                        builders.names.insert(*name);
                    }
                }
            }
        }
        for (index, class) in pack.class.iter().enumerate() {
            self.classes
                .extend(class.bases.iter().map(|base| (*base, (at, index))));
        }
        for (index, server) in pack.server.iter().enumerate() {
            self.servers
                .extend(server.names.iter().map(|name| (*name, (at, index))));
            for name in &server.names {
                let mut parts = name.rsplit('.');
                if let (Some(last), Some(module)) = (parts.next(), parts.next()) {
                    builders.servers.insert((ustr(module), ustr(last)));
                }
            }
        }
        for (index, wrapper) in pack.wrapper.iter().enumerate() {
            self.wrappers
                .extend(wrapper.names.iter().map(|name| (*name, (at, index))));
        }
        for (index, control) in pack.control.iter().enumerate() {
            self.controls
                .extend(control.names.iter().map(|name| (*name, (at, index))));
        }
        for (index, injection) in pack.injection.iter().enumerate() {
            self.injections
                .extend(injection.markers.iter().map(|name| (*name, (at, index))));
        }
        self.builders.insert(language, builders);
        self.packs.push(pack);
    }

    /// What is wrong with packs that could not be read, one text each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What only router-building code of a language calls, by the language's folder.
    pub fn builder_names(&self, language: &str) -> Option<&BuilderNames> {
        self.builders.get(&ustr(language))
    }

    /// The kind of object that a callable makes.
    pub fn constructor(&self, name: Ustr) -> Option<KindId> {
        self.constructors.get(&name).copied()
    }

    /// A kind of object.
    pub fn kind(&self, kind: KindId) -> Option<&ObjectKind> {
        self.packs
            .get(usize::from(kind.pack))?
            .object
            .get(usize::from(kind.object))
    }

    /// The pack that a kind belongs to.
    pub fn pack_of(&self, kind: KindId) -> Option<&Pack> {
        self.packs.get(usize::from(kind.pack))
    }

    /// A kind of object by its name, in the pack of another kind.
    pub fn sibling(&self, kind: KindId, name: Ustr) -> Option<KindId> {
        let pack = self.pack_of(kind)?;
        let object = pack.object.iter().position(|object| object.name == name)?;
        Some(KindId {
            pack: kind.pack,
            object: u16::try_from(object).ok()?,
        })
    }

    /// What a method of an object does.
    pub fn method(&self, kind: KindId, name: Ustr) -> Option<&Method> {
        let &(pack, method) = self.methods.get(&(kind, name))?;
        self.packs.get(pack)?.method.get(method)
    }

    /// What classes with this base contribute.
    pub fn class(&self, base: Ustr) -> Option<&ClassShape> {
        let &(pack, class) = self.classes.get(&base)?;
        self.packs.get(pack)?.class.get(class)
    }

    /// Where the callable has the object that it serves.
    pub fn server(&self, name: Ustr) -> Option<&Locator> {
        let &(pack, server) = self.servers.get(&name)?;
        Some(&self.packs.get(pack)?.server.get(server)?.serves)
    }

    /// The argument that a wrapper stands for.
    pub fn wrapper(&self, name: Ustr) -> Option<&Wrapper> {
        let &(pack, wrapper) = self.wrappers.get(&name)?;
        self.packs.get(pack)?.wrapper.get(wrapper)
    }

    /// The control that a library's callable imposes.
    pub fn control(&self, name: Ustr) -> Option<&LibraryControl> {
        let &(pack, control) = self.controls.get(&name)?;
        self.packs.get(pack)?.control.get(control)
    }

    /// The injection that a marker makes.
    pub fn injection(&self, name: Ustr) -> Option<&Injection> {
        let &(pack, injection) = self.injections.get(&name)?;
        self.packs.get(pack)?.injection.get(injection)
    }

    /// All extractor traits of all packs.
    pub fn extractors(&self) -> impl Iterator<Item = &Extractor> {
        self.packs.iter().flat_map(|pack| &pack.extractor)
    }

    /// The name of the pack that a whole name belongs to, by its import root.
    pub fn framework_of(&self, name: &str) -> Option<Ustr> {
        let root = name.split('.').next().unwrap_or_default();
        self.packs
            .iter()
            .find(|pack| pack.packages.iter().any(|package| package.as_str() == root))
            .map(|pack| pack.name)
    }
}
