//! What the snapshot tests of the languages share.

use std::collections::HashSet;

use gatewatch_syntax::facts::{Code, Language};
use gatewatch_syntax::{Span, Spans, dump_file, facts_of_text};

/// Compares the facts of a text with `snapshots/<name>.snap`, and checks that every fact has a place inside
/// of the text and every function an id of its own.
pub(crate) fn snapshot(name: &str, language: Language, source: &str) {
    let source = source.strip_prefix('\n').unwrap_or(source);
    check(language, source);
    let (facts, _) = facts_of_text(language, source);
    insta::with_settings!({
        description => source,
        omit_expression => true,
        prepend_module_to_snapshot => false,
        snapshot_path => "../snapshots",
    }, {
        insta::assert_snapshot!(name, dump_file(&facts));
    });
}

fn check(language: Language, source: &str) {
    let (facts, spans) = facts_of_text(language, source);
    assert_eq!(facts.items.len(), spans.len());
    let mut ids = HashSet::new();
    for (item, places) in facts.items.iter().zip(&spans) {
        let text = source
            .get(places.whole.range())
            .unwrap_or_else(|| panic!("{} is outside of the text", item.key));
        places_of(&item.head, &places.head, text, 0);
        assert_eq!(item.bodies.len(), places.bodies.len());
        for (body, (start, spans)) in item.bodies.iter().zip(&places.bodies) {
            places_of(&body.code, spans, text, *start);
            assert!(ids.insert(body.id), "{} is there twice", body.id);
            let signature = facts.signature(body.id);
            assert!(
                signature.is_some_and(|function| function.id == body.id),
                "{} has another's signature",
                body.id
            );
        }
    }
}

fn places_of(code: &Code, spans: &Spans, text: &str, start: u32) {
    let inside = |span: Span| {
        let span = span.shifted(start);
        assert!(text.get(span.range()).is_some(), "{span:?} in {text}");
    };
    assert_eq!(code.exprs.len(), spans.exprs.len());
    assert_eq!(code.stmts.len(), spans.stmts.len());
    assert_eq!(code.functions.len(), spans.functions.len());
    assert_eq!(code.classes.len(), spans.classes.len());
    for span in spans.exprs.iter().chain(&spans.stmts) {
        inside(*span);
    }
    for definition in spans.functions.iter().chain(&spans.classes) {
        inside(definition.whole);
        inside(definition.definition);
        inside(definition.name);
        inside(definition.list);
        inside(definition.body);
    }
}
