; What each kind of node is, for the lowering to facts. See server/syntax/src/kinds.rs for the form.
; Kinds that are not named here are handled by the adapter, or unknown. The file must be a query of
; both grammars, `typescript` and `tsx`: kinds that only one of them has (type assertions, JSX) are
; left to the adapter.

[
  (identifier)
  (property_identifier)
  (private_property_identifier)
  (shorthand_property_identifier)
  (shorthand_property_identifier_pattern)
  (type_identifier)
  (predefined_type)
  (this)
  (this_type)
  (super)
  (import)
] @name
(member_expression object: (_) @base property: (_) @member) @attribute
(nested_identifier object: (_) @base property: (_) @member) @attribute
(nested_type_identifier module: (_) @base name: (_) @member) @attribute
(call_expression function: (_) @callee arguments: (_) @arguments) @call
(new_expression constructor: (_) @callee arguments: (_) @arguments) @new
(number) @number
(true) @true
(false) @false
(null) @null
(undefined) @null
(binary_expression left: (_) @left operator: _ @operator right: (_) @right) @binary
(ternary_expression condition: (_) @test consequence: (_) @then alternative: (_) @otherwise) @cond
(await_expression) @await
(yield_expression) @yield
(spread_element) @spread
(rest_pattern) @spread
(rest_type) @spread
(assignment_expression left: (_) @target right: (_) @value) @assign
(assignment_pattern left: (_) @target right: (_) @value) @assign
(object_assignment_pattern left: (_) @target right: (_) @value) @assign

; The first named child of these stands for them: the value before `as`, the type behind the colon.
(parenthesized_expression) @inner
(as_expression) @inner
(satisfies_expression) @inner
(non_null_expression) @inner
(instantiation_expression function: (_) @value) @inner
(computed_property_name) @inner
(template_substitution) @inner
(decorator) @inner
(type_annotation) @inner
(adding_type_annotation) @inner
(omitting_type_annotation) @inner
(opting_type_annotation) @inner
(asserts_annotation) @inner
(type_predicate_annotation) @inner
(parenthesized_type) @inner
(readonly_type) @inner
(optional_type) @inner
(flow_maybe_type) @inner
(literal_type) @inner
(constraint) @inner
(default_type) @inner
(expression_statement) @inner
(labeled_statement body: (_) @value) @inner

(return_statement) @return
(throw_statement) @raise
(break_statement) @break
(continue_statement) @continue
(while_statement condition: (_) @subject body: (_) @body) @loop
(do_statement body: (_) @body condition: (_) @subject) @loop
(for_in_statement left: (_) @target right: (_) @subject body: (_) @body) @loop
(statement_block) @block
(comment) @comment

; An overload or a declaration without a body says nothing that its implementation doesn't.
(function_signature) @skip
(empty_statement) @skip
(debugger_statement) @skip
(hash_bang_line) @skip
(html_comment) @skip
(index_signature) @skip
(call_signature) @skip
(construct_signature) @skip
