//! Functions and classes, which get ids; functions get bodies of their own.

use std::sync::Arc;

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use super::builder::Builder;
use super::reuse::{LoweredBody, text_key};
use super::{Lowering, base_of, offset};
use crate::facts::{BlockId, Body, Class, Function, Stmt};
use crate::kinds::Role;
use crate::spans::DefinitionSpans;
use crate::unfinished::unfinished;

impl Lowering<'_> {
    /// A unique id for a definition inside the current scopes. The item's own definition has the
    /// item's key: its name, or what it is assigned to (`handlers.list = …`).
    fn id(&mut self, name: &str) -> Ustr {
        let id = match self.scope.as_slice() {
            [key] if defines(base_of(key), name) => *key,
            [.., last] => ustr(&format!("{last}.{name}")),
            [] => ustr(name),
        };
        let count = self.ids.entry(id).or_default();
        *count += 1;
        if *count == 1 {
            id
        } else {
            ustr(&format!("{id}#{count}"))
        }
    }

    /// Adds a function. `function` has its signature, lowered in the current code, with an empty id; `body` is
    /// lowered as code of its own. Returns its index in the current code.
    pub(crate) fn function(
        &mut self,
        mut function: Function,
        body: Option<Node<'_>>,
        spans: DefinitionSpans,
    ) -> u32 {
        let name = if function.name.is_empty() {
            "<>"
        } else {
            function.name.as_str()
        };
        let id = self.id(name);
        function.id = id;
        let parent = self.top().function;
        let top = self.top();
        let index = offset(top.functions.len());
        top.functions.push(function);
        top.function_spans.push(spans);
        if let Some(body) = body {
            self.body(id, parent, index, body);
        }
        index
    }

    fn body(&mut self, id: Ustr, parent: Option<Ustr>, index: u32, node: Node<'_>) {
        let first = self.notes_before(node).first().copied().unwrap_or(node);
        let start = offset(first.start_byte());
        // Hashing and keeping bodies pays only where there will be a next version.
        let (hash, len) = if self.reuse.is_some() {
            text_key(self.text, first.start_byte()..node.end_byte())
        } else {
            (0, 0)
        };
        if let Some(old) = self
            .reuse
            .and_then(|reuse| reuse.bodies.get(&(id, hash, len)))
        {
            let mut bodies = old.bodies.clone();
            if let Some((own, _, _)) = bodies.first_mut() {
                own.parent = parent;
                own.index = index;
            }
            for (body, origin, spans) in &bodies {
                self.done
                    .push((body.clone(), origin + start, Arc::clone(spans)));
            }
            let unfinished = old.unfinished;
            self.unfinished += unfinished;
            self.count(node);
            self.bodies
                .insert((id, hash, len), LoweredBody { bodies, unfinished });
            return;
        }
        let outer = std::mem::take(&mut self.done);
        let unfinished_outside = std::mem::take(&mut self.unfinished);
        self.scope.push(id);
        self.stack.push(Builder {
            origin: start,
            function: Some(id),
            ..Builder::default()
        });
        let root = if self.kinds.role(node.kind_id()) == Role::Block {
            self.block(node)
        } else {
            // An expression body: its value is the function's.
            let mut statements = Vec::new();
            let value = self.expr(node);
            self.push_stmt(Stmt::Tail(value), node, &mut statements);
            self.block_of(&statements)
        };
        let (code, spans) = self.stack.pop().unwrap_or_default().finish(root);
        self.scope.pop();
        let own = Body {
            id,
            parent,
            index,
            code: Arc::new(code),
        };
        let inside = std::mem::replace(&mut self.done, outer);
        let mut lowered = Vec::with_capacity(inside.len() + 1);
        lowered.push((own, 0, Arc::new(spans)));
        for (body, origin, spans) in inside {
            lowered.push((body, origin - start, spans));
        }
        self.done.extend(
            lowered
                .iter()
                .map(|(body, origin, spans)| (body.clone(), origin + start, Arc::clone(spans))),
        );
        if self.reuse.is_some() {
            let unfinished = self.unfinished + unfinished(self.text, &[node], &self.counted);
            self.count(node);
            self.unfinished = unfinished_outside + unfinished;
            let bodies = lowered;
            self.bodies
                .insert((id, hash, len), LoweredBody { bodies, unfinished });
        }
    }

    /// Notes that what is unfinished in a body is counted. Other trees than the file's own are sound.
    fn count(&mut self, body: Node<'_>) {
        if self.parts == 0 {
            self.counted.insert(body.id());
        }
    }

    /// Adds a class-like scope, with an empty id or the wanted one. `lower_body` lowers its members into the current code. Returns its
    /// index.
    pub(crate) fn class(
        &mut self,
        mut class: Class,
        spans: DefinitionSpans,
        lower_body: impl FnOnce(&mut Self) -> BlockId,
    ) -> u32 {
        // An adapter may ask for an id that says more than the name (an `impl` and its trait).
        let name = match (class.id.as_str(), class.name.as_str()) {
            ("", "") => "<>",
            ("", name) => name,
            (id, _) => id,
        };
        let id = self.id(name);
        class.id = id;
        self.scope.push(id);
        class.body = lower_body(self);
        self.scope.pop();
        let top = self.top();
        top.classes.push(class);
        top.class_spans.push(spans);
        offset(top.classes.len() - 1)
    }
}

/// Whether an item with this key is the definition of `name`: `name` itself, or `exports.name`.
fn defines(key: &str, name: &str) -> bool {
    key == name || key.rsplit('.').next() == Some(name)
}
