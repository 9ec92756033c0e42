//! Calls of what can't be looked into: the name, the receiver and the arguments tell.

use super::kind::Kind;
use super::walk::Walker;
use super::{Check, Library, Use};
use crate::control::{Effect, Strength};
use crate::names::Target;
use gatewatch_syntax::facts::{Expr, ExprId};
use ustr::Ustr;

impl Walker<'_> {
    /// A call of something that can't be looked into: its name and arguments tell.
    pub(super) fn unknown_call(
        &mut self,
        id: ExprId,
        base: Option<ExprId>,
        base_kind: Kind,
        args: Kind,
        name: Ustr,
        no_args: bool,
    ) -> Kind {
        let words = self.words;
        // A member of the identity or credential stays one: `token.split(" ")`, `user.has_perm("x")`.
        if base_kind.asks() && !base_kind.owned {
            if base_kind.identity && base.is_some_and(|base| self.asks_of_caller(base, name)) {
                let own = Kind {
                    owned: true,
                    ..Kind::NONE
                };
                self.query(id, name, own);
            }
            return Kind {
                request: false,
                denial: false,
                data: false,
                ..base_kind
            };
        }
        let of_owner = base_kind.owner_sql || args.owner_sql;
        let asked = Kind {
            owned: base_kind.owned || args.owned || of_owner && args.identity,
            owner_sql: of_owner,
            ..Kind::NONE
        };
        let getter = words.is_identity_callable(name) || words.is_identity(name);
        if getter
            && (no_args || args.request || args.credential || args.identity)
            && !base_kind.data
            // `verify(body, signature)`: what is verified is the credential, or in its name.
            && (!args.data || args.credential)
        {
            let unresolved_local =
                base.is_none() && self.env.get(&name).is_some_and(|kind| kind.data);
            if !unresolved_local {
                self.effects.reads_identity = true;
                return Kind {
                    verified: true,
                    ..Kind::IDENTITY
                };
            }
        }
        if args.credential && !args.data {
            // `len(parts)`, `str(token)`: a look at a text finds nobody out.
            return if base.is_none() && words.is_text_method(name) {
                Kind::CREDENTIAL
            } else {
                Kind::IDENTITY
            };
        }
        if args.only_header() && !args.data {
            return Kind::HEADER;
        }
        // `STAFF.get(request.headers.get("x-staff"))`
        if args.header && self.used != Use::Handler && !args.data {
            return Kind::HEADER;
        }
        if words.is_change(name) && base.is_some_and(|base| self.is_shared(base)) {
            self.wrote = true;
        }
        let harmless = base.is_none_or(|base| {
            receivers(self, base)
                .into_iter()
                .any(|name| words.is_harmless(name))
                || base_kind.request
                || base_kind.data && roots(self, base).data
        });
        if !harmless {
            if words.is_write(name) {
                self.query(id, name, asked);
                self.wrote = true;
                let scoped = args.identity || asked.owned;
                return Kind {
                    scoped,
                    loaded: true,
                    ..asked
                };
            }
            if words.is_load(name) {
                self.query(id, name, asked);
                self.loaded = true;
                return Kind {
                    scoped: args.identity || asked.owned,
                    loaded: true,
                    ..asked
                };
            }
        }
        if args.identity {
            // A query that is built up: `select(Item).where(Item.owner_id == user.id)`.
            return Kind {
                scoped: !harmless || base_kind.loaded,
                identity: false,
                loaded: base_kind.loaded,
                owned: asked.owned,
                owner_sql: asked.owner_sql,
                ..Kind {
                    credential: false,
                    verified: false,
                    request: false,
                    denial: false,
                    ..args
                }
            };
        }
        // `HTTPConnection(scope)`, `dict(scope["headers"])`: the request in another form.
        let form = base.is_none()
            && (name == "dict" || name.chars().next().is_some_and(char::is_uppercase));
        Kind {
            request: base_kind.request || args.request && form,
            denial: false,
            loaded: base_kind.loaded,
            scoped: base_kind.scoped,
            data: args.data || base_kind.data,
            ..asked
        }
    }
}

impl Walker<'_> {
    /// A context is entered that a library guards: `with permission.require():`.
    pub(super) fn enters(&mut self, value: ExprId) {
        let Expr::Call { callee, .. } = self.code.expr(value) else {
            return;
        };
        let target = self.callee_target(callee);
        let Some(name) = target.external_name() else {
            return;
        };
        let Some(control) = gatewatch_frameworks::packs()
            .control(name)
            .filter(|control| control.context)
        else {
            return;
        };
        let mut demands = match &target {
            Target::Member(of, _) if control.of_object => {
                crate::injected::callable_of(self.db, self.tree, of).args()
            }
            _ => Vec::new(),
        };
        let through = match &target {
            Target::Member(of, _) => crate::injected::made_at(self.db, of),
            _ => None,
        };
        demands.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        for effect in &control.effects {
            let effect = match effect.as_str() {
                "authentication" => Effect::Authentication,
                "authorization" => Effect::Authorization,
                _ => continue,
            };
            let (site, order) = (self.site(value), self.order());
            self.add(Check {
                effect,
                strength: Strength::Enforcing,
                site,
                by: None,
                library: Some(Library { name, through }),
                demands: if effect == Effect::Authorization {
                    demands.clone()
                } else {
                    Vec::new()
                },
                every: false,
                order,
                need: None,
                when: None,
            });
        }
    }

    /// Whether a context keeps denials that are raised inside: `with suppress(HTTPException):`.
    pub(super) fn suppresses(&mut self, value: ExprId) -> bool {
        let Expr::Call { callee, args } = self.code.expr(value) else {
            return false;
        };
        let named = self.callee_target(callee).external_name();
        named.is_some_and(|name| name.as_str() == "contextlib.suppress")
            && self
                .code
                .args(args)
                .iter()
                .any(|arg| self.catches_denials(arg.value))
    }

    /// Whether a container belongs to the module: what is put into it or taken out stays so for others.
    pub(super) fn is_shared(&self, base: ExprId) -> bool {
        let names = receivers(self, base);
        let root = match self.code.expr(base) {
            Expr::Name(name) => Some(name),
            Expr::Attr { .. } | Expr::Index { .. } => names.last().copied(),
            _ => None,
        };
        self.is_python()
            && root.is_some_and(|root| {
                !self.env.contains_key(&root)
                    && !matches!(root.as_str(), "self" | "cls")
                    && !self.name_kind(root).request
            })
            && !names.into_iter().any(|name| self.words.is_harmless(name))
    }
}

/// What a chain of calls and members begins at, and the members on the way that aren't called.
/// The kind of what a chain of members and calls begins with: `query("…").bind(id)` is no data, although some went in.
fn roots(walker: &Walker<'_>, base: ExprId) -> Kind {
    receivers(walker, base)
        .last()
        .map(|name| walker.name_kind(*name))
        .unwrap_or_default()
}

fn receivers(walker: &Walker<'_>, base: ExprId) -> Vec<Ustr> {
    let mut found = Vec::new();
    let mut at = base;
    for _ in 0..16 {
        at = match walker.code.expr(at) {
            Expr::Name(name) => {
                found.push(name);
                break;
            }
            Expr::Attr { base, name } => {
                found.push(name);
                base
            }
            Expr::Index { base, .. } | Expr::Await(base) | Expr::Try(base) | Expr::Unary(base) => {
                base
            }
            Expr::Call { callee, .. } | Expr::New { callee, .. } => {
                match walker.code.expr(callee) {
                    Expr::Attr { base, .. } => base,
                    _ => callee,
                }
            }
            _ => break,
        };
    }
    found
}
