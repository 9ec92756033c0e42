//! Classes that are registered as a whole, and handlers that describe their own routes.

use gatewatch_frameworks::{ClassShape, Method, Place};
use gatewatch_source::SourceFile;
use gatewatch_syntax::facts::ParamKind;
use ustr::{Ustr, ustr};

use super::arguments::verb_names;
use super::machine::Machine;
use super::objects::{GuardUse, Registration, RouteRegistration};
use super::value::{Called, Func, Given, Piece, Receiver, V};
use crate::modules::Module;

impl Machine<'_> {
    /// A method that a class has from a framework is called on the class: `View.register(app)`.
    pub(crate) fn class_method(
        &mut self,
        file: SourceFile,
        id: Ustr,
        name: Ustr,
        args: Vec<(Given, V)>,
        place: (SourceFile, Place),
    ) -> V {
        if let Some(shape) = self.shape_of(file, id)
            && shape.registers == Some(name)
            && let Some(V::Object(object)) = args.first().map(|(_, value)| value.settled().clone())
        {
            self.register_class(object, file, id, args.get(1..).unwrap_or_default(), place);
            return V::Null;
        }
        let callee = V::Member(std::sync::Arc::new((V::Class(file, id), name)));
        self.called(callee, args, V::Unknown, place)
    }

    /// What a class contributes, by the framework's class that it extends.
    pub(crate) fn shape_of(&mut self, file: SourceFile, id: Ustr) -> Option<&'static ClassShape> {
        let packs = self.packs;
        self.external_bases(file, id)
            .into_iter()
            .find_map(|base| packs.class(base))
    }

    /// Registers the routes of a class's methods on an object.
    pub(crate) fn register_class(
        &mut self,
        object: u32,
        file: SourceFile,
        id: Ustr,
        args: &[(Given, V)],
        place: (SourceFile, Place),
    ) {
        let Some(shape) = self.shape_of(file, id) else {
            if let Some(at) = self.objects.get_mut(object as usize) {
                at.registered.push(Registration::Unresolved { place });
            }
            return;
        };
        let base = self.base_path(shape, file, id, args);
        let hidden: Vec<String> = match shape.hidden_attribute {
            Some(attribute) => match self.class_attribute(file, id, attribute) {
                Some(V::List(items)) => items.iter().filter_map(V::as_text).collect(),
                _ => Vec::new(),
            },
            None => Vec::new(),
        };
        let mut seen: Vec<Ustr> = Vec::new();
        let mut routes = Vec::new();
        for &(class_file, class) in &self.lineage(file, id).0 {
            let Some(roles) = self.read.class(class_file, class) else {
                continue;
            };
            for (name, method) in roles.methods.iter().rev() {
                if seen.contains(name) {
                    continue;
                }
                seen.push(*name);
                let Some(head) = self.read.signature(class_file, *method) else {
                    continue;
                };
                if self.is_attribute(class_file, *method) {
                    continue;
                }
                let exposed = self.exposed(shape, class_file, *method);
                let handler = V::Func(Func {
                    receiver: Some(Receiver::Class(file, id)),
                    ..Func::plain(class_file, *method)
                });
                for (path, verbs) in &exposed {
                    let mut whole = base.clone();
                    whole.push(Piece::Text(ustr("/")));
                    whole.extend(path.iter().cloned());
                    routes.push((whole, verbs.clone(), handler.clone(), (class_file, *method)));
                }
                let is_hidden = shape
                    .hidden
                    .iter()
                    .any(|hidden| name.starts_with(hidden.as_str()))
                    || hidden.iter().any(|hidden| hidden == name.as_str());
                if !exposed.is_empty() || is_hidden {
                    continue;
                }
                let mut whole = base.clone();
                let verbs = match shape.members.get(name) {
                    Some(verbs) => verbs.clone(),
                    None if shape.public_members
                        && head
                            .params
                            .first()
                            .is_some_and(|param| param.name.as_str() == "self") =>
                    {
                        whole.push(Piece::Text(ustr(&format!("/{name}"))));
                        vec![ustr("GET")]
                    }
                    None => continue,
                };
                // Parameters without a default are part of the path.
                let taken: String = base
                    .iter()
                    .map(|piece| match piece {
                        Piece::Text(text) | Piece::Symbol(text) | Piece::Pattern(text) => {
                            text.as_str()
                        }
                    })
                    .collect();
                for param in head.params.iter().skip(1) {
                    let name = param.name;
                    if param.default.is_none()
                        && param.kind == ParamKind::Plain
                        && !taken.contains(&format!("<{name}>"))
                        && !taken.contains(&format!(":{name}>"))
                    {
                        whole.push(Piece::Text(ustr(&format!("/<{name}>"))));
                    }
                }
                whole.push(Piece::Text(ustr("/")));
                routes.push((whole, verbs, handler, (class_file, *method)));
            }
        }
        let attributes = self.class_guards(shape, file, id, place);
        self.effects += 1;
        for (path, verbs, handler, method) in routes {
            let mut guards = attributes.clone();
            guards.extend(self.method_guards(shape, method));
            let route = RouteRegistration {
                verbs,
                paths: vec![path],
                handler,
                guards,
                inert: Vec::new(),
                kind: "http",
                plain: false,
                place,
            };
            self.register_route(object, route);
        }
    }

    /// Whether a method is read like an attribute, or belongs to the class: nothing that answers a request.
    fn is_attribute(&self, file: SourceFile, method: Ustr) -> bool {
        const DECORATORS: &[&str] = &[
            "property",
            "classmethod",
            "staticmethod",
            "functools.cached_property",
            "abc.abstractproperty",
            "werkzeug.utils.cached_property",
        ];
        self.decorated.get(&(file, method)).is_some_and(|decorators| {
            decorators.iter().any(|(decorator, _)| {
                matches!(decorator, V::External(name) if DECORATORS.contains(&name.as_str()))
                    || matches!(decorator, V::Member(member) if matches!(member.1.as_str(), "setter" | "getter" | "deleter"))
            })
        })
    }

    /// The guards that attributes of a class set in front of all its methods.
    fn class_guards(
        &mut self,
        shape: &ClassShape,
        file: SourceFile,
        id: Ustr,
        place: (SourceFile, Place),
    ) -> Vec<GuardUse> {
        let mut guards = Vec::new();
        for attribute in &shape.guards {
            if let Some(value) = self.class_attribute(file, id, *attribute)
                && !matches!(value, V::Dict(_))
            {
                let place = self
                    .read
                    .class(file, id)
                    .and_then(|class| class.place)
                    .map_or(place, |place| (file, place));
                let mut uses = self.guards(vec![value], "class", place);
                uses.reverse();
                guards.extend(uses);
            }
        }
        guards
    }

    /// The decorators of a method that don't expose it, outermost first.
    fn method_guards(&mut self, shape: &ClassShape, method: (SourceFile, Ustr)) -> Vec<GuardUse> {
        self.decorated
            .get(&method)
            .into_iter()
            .flatten()
            .rev()
            .filter(|(decorator, _)| exposing(shape, decorator).is_none())
            .map(|(value, place)| GuardUse {
                value: value.clone(),
                via: "decorator",
                only: None,
                named: None,
                place: *place,
            })
            .collect()
    }

    /// The paths and verbs that decorators give a method, in the order in which they are written.
    fn exposed(
        &mut self,
        shape: &ClassShape,
        file: SourceFile,
        method: Ustr,
    ) -> Vec<(Vec<Piece>, Vec<Ustr>)> {
        let decorators = self
            .decorated
            .get(&(file, method))
            .cloned()
            .unwrap_or_default();
        decorators
            .iter()
            .rev()
            .filter_map(|(decorator, _)| {
                let called = exposing(shape, decorator)?;
                let path = called
                    .args
                    .iter()
                    .find(|(given, _)| matches!(given, Given::Position))
                    .or_else(|| {
                        let names = ["rule", "url", "path"];
                        called.args.iter().find(|(given, _)| {
                            matches!(given, Given::Name(name) if names.contains(&name.as_str()))
                        })
                    })
                    .map(|(_, value)| value.pieces())
                    .unwrap_or_default();
                let methods = called.args.iter().find_map(|(given, value)| match given {
                    Given::Name(name) if name.as_str() == "methods" => Some(value),
                    _ => None,
                });
                let mut verbs: Vec<Ustr> = match methods.map(V::settled) {
                    Some(V::List(items)) => items.iter().flat_map(verb_names).collect(),
                    Some(value) => verb_names(value),
                    None => Vec::new(),
                };
                if verbs.is_empty() {
                    verbs.push(ustr("GET"));
                }
                Some((path, verbs))
            })
            .collect()
    }

    /// The path that all routes of a class stand below.
    fn base_path(
        &mut self,
        shape: &ClassShape,
        file: SourceFile,
        id: Ustr,
        args: &[(Given, V)],
    ) -> Vec<Piece> {
        for template in &shape.base_path {
            if let Some(path) = self.filled(shape, template, file, id, args) {
                return path;
            }
        }
        Vec::new()
    }

    fn filled(
        &mut self,
        shape: &ClassShape,
        template: &str,
        file: SourceFile,
        id: Ustr,
        args: &[(Given, V)],
    ) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, after) = after.split_once('}')?;
            pieces.push(Piece::Text(ustr(before)));
            rest = after;
            let (name, default) = match field.split_once('|') {
                Some((name, default)) => (name, Some(default)),
                None => (field, None),
            };
            if name == "name" {
                let class = id.rsplit('.').next().unwrap_or_default();
                let plain = shape
                    .name_suffixes
                    .iter()
                    .find_map(|suffix| class.strip_suffix(suffix.as_str()))
                    .filter(|plain| !plain.is_empty())
                    .unwrap_or(class);
                pieces.push(Piece::Text(ustr(&plain.to_lowercase())));
                continue;
            }
            let given = args
                .iter()
                .find(|(given, _)| *given == Given::Name(ustr(name)))
                .map(|(_, value)| value.clone());
            let value = match given {
                Some(value) => Some(value),
                None => self.class_attribute(file, id, ustr(name)),
            };
            match (value, default) {
                (Some(V::Null | V::Unknown) | None, Some(default)) => {
                    pieces.push(Piece::Text(ustr(default)));
                }
                (Some(V::Null) | None, None) => return None,
                (Some(value), _) => pieces.extend(value.pieces()),
            }
        }
        pieces.push(Piece::Text(ustr(rest)));
        Some(pieces)
    }

    /// A handler says its verb and path in an attribute: `#[utoipa::path(get, path = "/x")]`.
    pub(crate) fn described(
        &mut self,
        object: u32,
        method: &Method,
        handler: V,
        place: (SourceFile, Place),
    ) {
        let V::Func(func) = handler.settled().clone() else {
            if let Some(at) = self.objects.get_mut(object as usize) {
                at.registered.push(Registration::Unresolved { place });
            }
            return;
        };
        let Some(head) = self.read.signature(func.file, func.id) else {
            return;
        };
        for (decorator, _) in &head.decorators {
            let decorator = self.resolve_in_class(func.file, &head.scope, decorator);
            let V::Called(called) = &decorator else {
                continue;
            };
            if !matches!(&called.callee, V::External(name) if method.described_by.contains(name)) {
                continue;
            }
            let mut verbs = Vec::new();
            for (given, value) in &called.args {
                if *given == Given::Position {
                    collect_verbs(value, &mut verbs);
                }
            }
            let named = |wanted: &str| {
                called.args.iter().find_map(|(given, value)| match given {
                    Given::Name(name) if name.as_str() == wanted => Some(value.pieces()),
                    _ => None,
                })
            };
            let mut path = named("context_path").unwrap_or_default();
            path.extend(named("path").unwrap_or_default());
            if verbs.is_empty() {
                verbs.push(ustr("ANY"));
            }
            let route = RouteRegistration {
                verbs,
                paths: vec![path],
                handler: V::Func(func),
                guards: Vec::new(),
                inert: Vec::new(),
                kind: "http",
                plain: false,
                place,
            };
            self.register_route(object, route);
            return;
        }
    }
}

/// The verbs among the arguments of an attribute: `get`, `method(get, post)`.
fn collect_verbs(value: &V, verbs: &mut Vec<Ustr>) {
    const VERBS: &[&str] = &[
        "get", "post", "put", "patch", "delete", "head", "options", "trace",
    ];
    let name = match value {
        V::External(name) | V::Symbol(name) => *name,
        V::Func(func) => func.id,
        V::Module(Module::External(name)) => ustr(name),
        V::Called(called) => {
            for (_, arg) in &called.args {
                collect_verbs(arg, verbs);
            }
            return;
        }
        _ => return,
    };
    let last = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    if VERBS.contains(&last.as_str()) {
        verbs.push(ustr(&last.to_uppercase()));
    }
}

/// The call of an exposing decorator.
fn exposing<'v>(shape: &ClassShape, decorator: &'v V) -> Option<&'v Called> {
    let V::Called(called) = decorator else {
        return None;
    };
    match &called.callee {
        V::External(name) if shape.exposes.contains(name) => Some(called),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_of_attributes() {
        let mut verbs = Vec::new();
        collect_verbs(&V::External(ustr("axum.routing.get")), &mut verbs);
        collect_verbs(&V::External(ustr("path")), &mut verbs);
        assert_eq!(verbs, [ustr("GET")]);
    }
}
