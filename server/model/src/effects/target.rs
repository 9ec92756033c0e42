//! What a condition says of the request's target: its path, endpoint, method or transport.

use std::sync::Arc;

use gatewatch_frameworks::{Place, PlaceNode};
use gatewatch_source::SourceFile;
use gatewatch_syntax::facts::{Code, Expr, ExprId, Operator, Run, Stmt};
use rustc_hash::FxHashMap;
use ustr::{Ustr, ustr};

use super::Use;
use super::reach::{How, Part, Reach};
use super::walk::{Condition, Walker};
use crate::entry::Site;
use crate::names::{Seen, Target, follow};

/// How deep conditions and the functions that they call are looked into.
const MAX_DEPTH: u32 = 12;

/// From where a condition is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Of somebody without an identity: what of it holds for them?
    Anonymous,
    /// Of the target alone: could it hold at all?
    Target,
}

/// What names stand for where a condition is written.
#[derive(Clone, Default)]
struct Names {
    /// Names that hold a part of the target.
    parts: FxHashMap<Ustr, Part>,
    /// Names that go through a list of texts.
    lists: FxHashMap<Ustr, Texts>,
}

/// Texts that something is compared with.
#[derive(Clone, Default)]
struct Texts {
    found: Vec<Ustr>,
    /// There are others, that can't be told.
    more: bool,
    list: Option<Site>,
}

impl Walker<'_> {
    /// A condition that control is under, as one on the request.
    pub(super) fn reach_of(&mut self, condition: &Condition, view: View) -> Reach {
        let holds = condition.holds;
        let reach = self.within(condition, |walker| match condition.pattern {
            Some(pattern) => walker.matched(condition.test, pattern, &Names::default()),
            None => walker.reach(condition.test, view, &Names::default(), 0),
        });
        if holds { reach } else { reach.negated() }
    }

    fn reach(&mut self, test: ExprId, view: View, names: &Names, depth: u32) -> Reach {
        if depth > MAX_DEPTH {
            return Reach::Unknown;
        }
        match self.code.expr(test) {
            Expr::Not(inner) => return self.reach(inner, view, names, depth + 1).negated(),
            Expr::Await(inner) => return self.reach(inner, view, names, depth + 1),
            Expr::Bool(value) => return Reach::Always(value),
            Expr::Binary {
                op: op @ (Operator::And | Operator::Or),
                left,
                right,
            } => {
                let parts = vec![
                    self.reach(left, view, names, depth + 1),
                    self.reach(right, view, names, depth + 1),
                ];
                return match op {
                    Operator::And => Reach::All(parts),
                    _ => Reach::Any(parts),
                };
            }
            _ => {}
        }
        if let Some(reach) = self.target(test, view, names, depth) {
            return reach;
        }
        if view == View::Target {
            return Reach::Free;
        }
        let kind = self.value(test);
        if kind.asks() {
            return self.for_nobody(test, kind);
        }
        if self.names_setting(test) {
            return Reach::Setting;
        }
        // Anything else of the request is the sender's choice, but for where it comes from.
        let origin = |name: &Ustr| {
            let origins = [
                "client",
                "host",
                "remote_addr",
                "ip",
                "ips",
                "peer",
                "socket",
            ];
            origins.contains(&name.as_str())
        };
        if kind.request && !super::classify::names(self, test).iter().any(origin) {
            return Reach::Free;
        }
        Reach::Unknown
    }

    /// Whether a question after the caller holds for somebody without an identity.
    fn for_nobody(&mut self, test: ExprId, kind: super::kind::Kind) -> Reach {
        // A header that is no credential, compared with what everybody can read here.
        if kind.only_header() {
            return if self.needs_no_secret(test, 0) {
                Reach::Free
            } else {
                Reach::Always(false)
            };
        }
        if let Some(present) = self.polarity(test) {
            return Reach::Always(!present);
        }
        match self.code.expr(test) {
            Expr::Binary {
                op: Operator::Eq | Operator::Is,
                ..
            } => Reach::Always(false),
            Expr::Binary {
                op: Operator::Ne | Operator::IsNot,
                ..
            } if kind.credential => Reach::Always(true),
            _ => Reach::Unknown,
        }
    }

    /// A comparison of the target; `None` for a condition on something else.
    fn target(&mut self, test: ExprId, view: View, names: &Names, depth: u32) -> Option<Reach> {
        if let Some(mark) = self.mark(test) {
            return Some(self.marked(mark));
        }
        match self.code.expr(test) {
            Expr::Binary { op, left, right } => {
                let negative = matches!(op, Operator::Ne | Operator::IsNot | Operator::NotIn);
                self.compared(op, left, right, names)
                    .map(|reach| if negative { reach.negated() } else { reach })
            }
            Expr::Bind { pattern, value } => {
                self.part(value, names, 0)?;
                Some(self.matched(value, pattern, names))
            }
            Expr::Call { callee, args } => self.asked(test, callee, args, view, names, depth),
            // `is_public = request.path in PUBLIC`
            Expr::Name(name) if self.part(test, names, 0).is_none() => {
                let value = self.only_value(name)?;
                let reach = self.reach(value, View::Target, names, depth + 1);
                reach.names_target().then(|| match view {
                    View::Target => reach,
                    View::Anonymous => self.reach(value, view, names, depth + 1),
                })
            }
            // There is always one, for what is an entry point.
            _ => self.part(test, names, 0).map(|_| Reach::Always(true)),
        }
        .or_else(|| self.names_path(test).then_some(Reach::Unknown))
    }

    /// The attribute that a test reads of the function that will answer: `getattr(view, "is_public", False)` of
    /// `view = app.view_functions[request.endpoint]`.
    fn mark(&self, test: ExprId) -> Option<Ustr> {
        match self.code.expr(test) {
            Expr::Call { callee, args } => {
                let asks = matches!(self.code.expr(callee), Expr::Name(name) if matches!(name.as_str(), "getattr" | "hasattr"));
                let args = self.code.args(args);
                let (of, name) = (args.first()?.value, args.get(1)?.value);
                let absent = args.get(2).is_none_or(|arg| {
                    matches!(self.code.expr(arg.value), Expr::Bool(false) | Expr::Null)
                });
                (asks && absent && self.is_view(of, 0)).then(|| self.code.str_of(name).map(ustr))?
            }
            Expr::Attr { base, name } => self.is_view(base, 0).then_some(name),
            _ => None,
        }
    }

    /// Whether an expression is the function that will answer the request, looked up by its endpoint.
    fn is_view(&self, expr: ExprId, depth: u32) -> bool {
        let views = |base: ExprId| matches!(self.code.expr(base), Expr::Attr { name, .. } if name == "view_functions");
        match self.code.expr(expr) {
            Expr::Index { base, .. } => views(base),
            Expr::Call { callee, .. } => {
                matches!(self.code.expr(callee), Expr::Attr { base, name } if name == "get" && views(base))
            }
            Expr::Name(name) if depth < 3 => self
                .only_value(name)
                .is_some_and(|value| self.is_view(value, depth + 1)),
            _ => false,
        }
    }

    fn marked(&self, mark: Ustr) -> Reach {
        let target = |part, texts| Reach::Target {
            part,
            how: How::Is,
            texts,
            list: None,
        };
        let by_name = crate::marks::marked_endpoints(self.db, self.file, mark);
        Reach::Any(vec![
            target(Part::Mark, vec![mark]),
            target(Part::Endpoint, by_name),
        ])
    }

    fn compared(
        &mut self,
        op: Operator,
        left: ExprId,
        right: ExprId,
        names: &Names,
    ) -> Option<Reach> {
        let (of_left, of_right) = (self.part(left, names, 0), self.part(right, names, 0));
        let null = |walker: &Self, id| matches!(walker.code.expr(id), Expr::Null);
        match (op, of_left, of_right) {
            (Operator::Eq | Operator::Ne | Operator::Is | Operator::IsNot, None, None) => {
                // `PUBLIC.indexOf(req.path) !== -1`
                let Expr::Call { callee, args } = self.code.expr(left) else {
                    return None;
                };
                let Expr::Attr { base, name } = self.code.expr(callee) else {
                    return None;
                };
                let [arg] = self.code.args(args) else {
                    return None;
                };
                let arg = arg.value;
                let part = self.part(arg, names, 0)?;
                let negative = matches!(self.code.expr(right), Expr::Unary(_));
                if name != "indexOf" || !negative {
                    return Some(Reach::Unknown);
                }
                let texts = self.listed(base, part, names, 0);
                Some(leaf(part, How::Is, texts).negated())
            }
            (Operator::Eq | Operator::Ne | Operator::Is | Operator::IsNot, Some(part), _) => {
                Some(if null(self, right) {
                    Reach::Always(false)
                } else {
                    leaf(part, How::Is, self.listed(right, part, names, 0))
                })
            }
            (Operator::Eq | Operator::Ne, None, Some(part)) => {
                Some(leaf(part, How::Is, self.listed(left, part, names, 0)))
            }
            (Operator::In | Operator::NotIn, Some(part), _) => {
                let texts = self.listed(right, part, names, 0);
                // A list of methods to pass that can't be read holds `OPTIONS` and its like.
                if op == Operator::In
                    && part == Part::Method
                    && texts.found.is_empty()
                    && texts.more
                {
                    return Some(Reach::Always(false));
                }
                Some(leaf(part, How::Is, texts))
            }
            (Operator::In | Operator::NotIn, None, Some(part)) => {
                Some(leaf(part, How::Contains, self.listed(left, part, names, 0)))
            }
            _ => None,
        }
    }

    /// `match path { "/a" | "/b" => … }`
    fn matched(&mut self, subject: ExprId, pattern: ExprId, names: &Names) -> Reach {
        let Some(part) = self.part(subject, names, 0) else {
            return Reach::Free;
        };
        if matches!(self.code.expr(pattern), Expr::Unknown)
            || matches!(self.code.expr(pattern), Expr::Name(name) if name == "_")
        {
            return Reach::Unknown;
        }
        leaf(part, How::Is, self.listed(pattern, part, names, 0))
    }

    /// A call that asks for the target.
    fn asked(
        &mut self,
        test: ExprId,
        callee: ExprId,
        args: Run,
        view: View,
        names: &Names,
        depth: u32,
    ) -> Option<Reach> {
        let code = Arc::clone(&self.code);
        let given: Vec<ExprId> = code.args(args).iter().map(|arg| arg.value).collect();
        let first = given.first().copied();
        if let Expr::Attr { base, name } = code.expr(callee) {
            let spelled = name.to_lowercase().replace('_', "");
            if let Some(part) = self.part(base, names, 0) {
                let how = match spelled.as_str() {
                    "startswith" => How::StartsWith,
                    "endswith" => How::EndsWith,
                    "contains" | "includes" => How::Contains,
                    "equals" | "eq" => How::Is,
                    _ => return Some(Reach::Unknown),
                };
                let mut texts = Texts::default();
                for id in given {
                    let found = self.listed(id, part, names, 0);
                    texts.found.extend(found.found);
                    texts.more |= found.more;
                    texts.list = texts.list.or(found.list);
                }
                return Some(leaf(part, how, texts));
            }
            if let Some(part) = first.and_then(|first| self.part(first, names, 0))
                && matches!(spelled.as_str(), "includes" | "contains" | "has")
            {
                return Some(leaf(part, How::Is, self.listed(base, part, names, 0)));
            }
            // `PUBLIC.some((open) => req.path.startsWith(open))`
            if let Some(Expr::Function(index)) = first.map(|first| code.expr(first))
                && matches!(spelled.as_str(), "some" | "find" | "any" | "iter")
                && let Some(function) = code.functions.get(index as usize)
                && let [param] = &*function.params
                && let Expr::Name(item) = code.expr(param.pattern)
            {
                let texts = self.listed(base, Part::Path, names, 0);
                let mut inner = names.clone();
                inner.lists.insert(item, texts);
                return self.inside(self.file, function.id, view, &inner, depth);
            }
        }
        if let Expr::Name(name) = code.expr(callee) {
            // `any(path.startswith(open) for open in OPEN)`
            if matches!(name.as_str(), "any" | "all")
                && let Some(Expr::Comprehension(block)) = first.map(|first| code.expr(first))
            {
                return self.comprehended(block, view, names, depth);
            }
            if name == "matches!"
                && let [subject, pattern] = given.as_slice()
                && self.part(*subject, names, 0).is_some()
            {
                return Some(self.matched(*subject, *pattern, names));
            }
        }
        // A function of the workspace that gives the answer: `is_public(request.path)`.
        if let Target::Function(file, id) = self.callee_target(callee)
            && (file, id) != (self.file, self.owner)
        {
            let mut inner = Names::default();
            let params = gatewatch_frameworks::signature(self.db, file, id)?;
            let plain = params
                .params
                .iter()
                .filter(|param| !matches!(param.name.as_str(), "self" | "cls"));
            for (param, &arg) in plain.zip(&given) {
                if let Some(part) = self.part(arg, names, 0) {
                    inner.parts.insert(param.name, part);
                }
            }
            let found = self.inside(file, id, view, &inner, depth);
            if found.as_ref().is_some_and(Reach::names_target) {
                return found;
            }
        }
        let _ = test;
        None
    }

    /// The answer of a function whose body is one `return`.
    fn inside(
        &mut self,
        file: SourceFile,
        id: Ustr,
        view: View,
        names: &Names,
        depth: u32,
    ) -> Option<Reach> {
        let facts = gatewatch_syntax::function(self.db, file, id)?;
        let value = facts.body.only_value()?;
        let outer = (
            std::mem::replace(&mut self.code, Arc::clone(&facts.body)),
            std::mem::replace(&mut self.file, file),
            std::mem::replace(&mut self.owner, id),
        );
        let reach = self.reach(value, view, names, depth + 1);
        (self.code, self.file, self.owner) = outer;
        Some(reach)
    }

    fn comprehended(
        &mut self,
        block: gatewatch_syntax::facts::BlockId,
        view: View,
        names: &Names,
        depth: u32,
    ) -> Option<Reach> {
        let code = Arc::clone(&self.code);
        let mut names = names.clone();
        let mut block = block;
        for _ in 0..4 {
            let mut next = None;
            for id in code.block(block) {
                match code.stmt(id)? {
                    Stmt::Loop {
                        target: Some(target),
                        subject: Some(subject),
                        body,
                    } => {
                        if let Expr::Name(name) = code.expr(target) {
                            let texts = self.listed(subject, Part::Path, &names, 0);
                            names.lists.insert(name, texts);
                        }
                        next = Some(body);
                    }
                    Stmt::Tail(value) => {
                        let reach = self.reach(value, View::Target, &names, depth + 1);
                        return reach
                            .names_target()
                            .then(|| self.reach(value, view, &names, depth + 1));
                    }
                    _ => return None,
                }
            }
            block = next?;
        }
        None
    }

    /// The part of the target that an expression is.
    fn part(&mut self, expr: ExprId, names: &Names, depth: u32) -> Option<Part> {
        if depth > MAX_DEPTH {
            return None;
        }
        let handler = self.used == Use::Handler;
        // A handler's own `path` is data; only the method that it was called by is not.
        let named = |name: Ustr| match name.to_lowercase().as_str() {
            "method" | "request_method" => Some(Part::Method),
            _ if handler => None,
            "path" | "url" | "pathname" | "originalurl" | "baseurl" | "uri" | "path_info"
            | "full_path" => Some(Part::Path),
            "endpoint" | "view_function" => Some(Part::Endpoint),
            _ => None,
        };
        match self.code.expr(expr) {
            Expr::Await(inner) | Expr::Try(inner) | Expr::Unary(inner) => {
                self.part(inner, names, depth + 1)
            }
            Expr::Name(name) => {
                if let Some(part) = names.parts.get(&name) {
                    return Some(*part);
                }
                if names.lists.contains_key(&name) {
                    return None;
                }
                match self.only_value(name) {
                    Some(value) => self.part(value, names, depth + 1),
                    None if handler => None,
                    None => named(name),
                }
            }
            Expr::Attr { base, name } => {
                if handler && !self.value(base).request {
                    return None;
                }
                named(name)
            }
            Expr::Index { base, index } => {
                let name = self.code.str_of(index).map(ustr)?;
                self.entry_of_scope(base, name).or_else(|| named(name))
            }
            Expr::Call { callee, args } => match self.code.expr(callee) {
                Expr::Attr { base, name } => match name.as_str() {
                    "get" => {
                        let arg = self.code.args(args).first()?.value;
                        let name = self.code.str_of(arg).map(ustr)?;
                        self.entry_of_scope(base, name)
                    }
                    "path" | "method" | "uri" if !handler || name == "method" => named(name),
                    "lower" | "upper" | "casefold" | "strip" | "rstrip" | "lstrip" | "rtrim"
                    | "removesuffix" | "toLowerCase" | "toUpperCase" | "trim" | "as_str"
                    | "to_string" | "to_owned" | "clone" | "trim_end_matches" | "to_lowercase"
                    | "to_ascii_lowercase" => self.part(base, names, depth + 1),
                    _ => None,
                },
                Expr::Name(name) if name == "str" || name == "String" => {
                    let arg = self.code.args(args).first()?.value;
                    self.part(arg, names, depth + 1)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// An entry of an ASGI scope or a WSGI environment.
    fn entry_of_scope(&self, base: ExprId, name: Ustr) -> Option<Part> {
        let holder = match self.code.expr(base) {
            Expr::Name(name) | Expr::Attr { name, .. } => name,
            _ => return None,
        };
        match (holder.as_str(), name.as_str()) {
            ("scope", "type") => Some(Part::Transport),
            ("scope", "path" | "raw_path") | ("environ" | "env", "PATH_INFO")
                if self.used != Use::Handler =>
            {
                Some(Part::Path)
            }
            ("scope", "method") | ("environ" | "env", "REQUEST_METHOD") => Some(Part::Method),
            _ => None,
        }
    }

    /// The value of a local name that is bound once.
    pub(super) fn only_value(&self, name: Ustr) -> Option<ExprId> {
        let mut found = None;
        for stmt in &self.code.stmts {
            if let Stmt::Let { target, value, .. } = stmt
                && matches!(self.code.expr(*target), Expr::Name(own) if own == name)
                && found.replace((*value)?).is_some()
            {
                return None;
            }
        }
        found
    }

    /// The texts that an expression lists.
    fn listed(&mut self, expr: ExprId, part: Part, names: &Names, depth: u32) -> Texts {
        let mut texts = Texts::default();
        self.list(expr, part, names, depth, &mut texts);
        texts.found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        texts.found.dedup();
        texts
    }

    fn list(&mut self, expr: ExprId, part: Part, names: &Names, depth: u32, out: &mut Texts) {
        if depth > MAX_DEPTH || out.found.len() > 256 {
            out.more = true;
            return;
        }
        let code = Arc::clone(&self.code);
        match code.expr(expr) {
            Expr::Str(text) => out.found.push(ustr(code.string(text))),
            Expr::List(args) | Expr::Tuple(args) => {
                for arg in code.args(args) {
                    self.list(arg.value, part, names, depth + 1, out);
                }
            }
            // The keys.
            Expr::Dict(args) => {
                for arg in code.args(args) {
                    match arg.kind {
                        gatewatch_syntax::facts::ArgKind::Named(name) => out.found.push(name),
                        gatewatch_syntax::facts::ArgKind::Keyed(key) => {
                            self.list(key, part, names, depth + 1, out);
                        }
                        _ => out.more = true,
                    }
                }
            }
            Expr::Binary {
                op: Operator::BitOr | Operator::Or,
                left,
                right,
            } => {
                self.list(left, part, names, depth + 1, out);
                self.list(right, part, names, depth + 1, out);
            }
            Expr::Binary {
                op: Operator::Add,
                left,
                right,
            } => {
                let (a, b) = (
                    self.listed(left, part, names, depth + 1),
                    self.listed(right, part, names, depth + 1),
                );
                out.more |= a.more || b.more;
                let lists = |id| matches!(code.expr(id), Expr::List(_) | Expr::Tuple(_));
                match (a.found.as_slice(), b.found.as_slice()) {
                    ([a], [b]) if !lists(left) && !lists(right) => {
                        out.found.push(ustr(&format!("{a}{b}")));
                    }
                    (a, b) => out.found.extend(a.iter().chain(b)),
                }
            }
            Expr::Template(parts) => {
                let mut whole = String::new();
                for id in code.parts(parts) {
                    match self.listed(id, part, names, depth + 1) {
                        Texts {
                            found, more: false, ..
                        } if found.len() == 1 => {
                            whole.extend(found.iter().map(Ustr::as_str));
                        }
                        _ => {
                            out.more = true;
                            return;
                        }
                    }
                }
                out.found.push(ustr(&whole));
            }
            Expr::Spread(inner) | Expr::Unary(inner) | Expr::Await(inner) => {
                self.list(inner, part, names, depth + 1, out);
            }
            Expr::Call { callee, args } | Expr::New { callee, args } if matches!(code.expr(callee), Expr::Name(name) if matches!(name.as_str(), "set" | "frozenset" | "tuple" | "list" | "Set")) => {
                for arg in code.args(args) {
                    self.list(arg.value, part, names, depth + 1, out);
                }
            }
            Expr::Name(name) if names.lists.contains_key(&name) => {
                if let Some(known) = names.lists.get(&name) {
                    out.found.extend(&known.found);
                    out.more |= known.more;
                    out.list = out.list.or(known.list);
                }
            }
            Expr::Name(name) if self.loop_subject(name).is_some() => {
                if let Some(subject) = self.loop_subject(name) {
                    self.list(subject, part, names, depth + 1, out);
                }
            }
            Expr::Name(name) if self.only_value(name).is_some() => {
                if let Some(value) = self.only_value(name) {
                    self.list(value, part, names, depth + 1, out);
                }
            }
            Expr::Name(name) | Expr::Attr { name, .. } => {
                // `Method::OPTIONS`
                if part == Part::Method
                    && !name.is_empty()
                    && name.chars().all(|c| c.is_ascii_uppercase())
                {
                    out.found.push(name);
                    return;
                }
                let target = self.constant(expr);
                let before = out.found.len();
                self.constants(&target, depth, out);
                if out.list.is_none() && out.found.len() > before {
                    out.list = self.list_site(&target, name);
                }
            }
            _ => out.more = true,
        }
    }

    /// What a name or member stands for: a constant of a module, or of the class that the function stands in.
    pub(super) fn constant(&mut self, expr: ExprId) -> Target {
        match self.code.expr(expr) {
            Expr::Name(name) => self.lookup(name),
            Expr::Attr { base, name } => {
                if let Expr::Name(of) = self.code.expr(base)
                    && matches!(of.as_str(), "self" | "cls" | "this")
                    && let Some((class, _)) = self.owner.rsplit_once('.')
                {
                    return crate::names::member_of(
                        self.db,
                        self.tree,
                        Target::Class(self.file, ustr(class)),
                        name,
                    );
                }
                self.callee_target(expr)
            }
            _ => Target::Unknown,
        }
    }

    fn constants(&self, target: &Target, depth: u32, out: &mut Texts) {
        if depth > MAX_DEPTH {
            out.more = true;
            return;
        }
        match target {
            Target::Text(text) => out.found.push(*text),
            Target::List(items) => {
                for item in items {
                    let item = follow(self.db, self.tree, item);
                    self.constants(&item, depth + 1, out);
                }
            }
            Target::Call {
                callee,
                args,
                scope,
            } if matches!(&**callee, Target::External(name) if matches!(name.as_str(), "set" | "frozenset" | "tuple" | "list" | "Set" | "Object.freeze")) => {
                for arg in args.iter() {
                    let item: Seen = scope.with(arg.value.clone());
                    let item = follow(self.db, self.tree, &item);
                    self.constants(&item, depth + 1, out);
                }
            }
            _ => out.more = true,
        }
    }

    /// Where a module binds a list by this name.
    fn list_site(&self, target: &Target, name: Ustr) -> Option<Site> {
        let file = match target {
            Target::List(items) => items.first()?.file,
            Target::Call { scope, .. } => scope.file,
            _ => return None,
        };
        let heads = gatewatch_syntax::heads(self.db, file);
        for (key, code) in &heads.items {
            for id in code.block(code.root) {
                if let Some(Stmt::Let { target, .. }) = code.stmt(id)
                    && matches!(code.expr(target), Expr::Name(own) if own == name)
                {
                    let place = Place {
                        code: *key,
                        in_body: false,
                        node: PlaceNode::Expr(target.0),
                    };
                    return Some((file, place));
                }
            }
        }
        None
    }

    /// What a loop goes through that binds a name.
    fn loop_subject(&self, name: Ustr) -> Option<ExprId> {
        let of = |code: &Code| {
            code.stmts.iter().find_map(|stmt| match stmt {
                Stmt::Loop {
                    target: Some(target),
                    subject: Some(subject),
                    ..
                } if matches!(code.expr(*target), Expr::Name(own) if own == name) => Some(*subject),
                _ => None,
            })
        };
        of(&self.code)
    }
}

fn leaf(part: Part, how: How, texts: Texts) -> Reach {
    let known = Reach::Target {
        part,
        how,
        texts: texts.found,
        list: texts.list,
    };
    match &known {
        Reach::Target { texts: found, .. } if texts.more && found.is_empty() => Reach::Unknown,
        _ if texts.more => Reach::Any(vec![known, Reach::Unknown]),
        _ => known,
    }
}
