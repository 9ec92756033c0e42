; What each kind of node is, for the lowering to facts. See server/syntax/src/kinds.rs for the form.
; Kinds that are not named here are handled by the adapter, or unknown.

(identifier) @name
(type_identifier) @name
(field_identifier) @name
(shorthand_field_identifier) @name
(primitive_type) @name
(metavariable) @name
(self) @name
(super) @name
(crate) @name
(integer_literal) @number
(float_literal) @number
(negative_literal) @number
(unit_expression) @null
(unit_type) @null

(field_expression value: (_) @base field: (_) @member) @attribute
(call_expression function: (_) @callee arguments: (_) @arguments) @call
(await_expression) @await
(try_expression) @try
(yield_expression) @yield
(binary_expression left: (_) @left operator: _ @operator right: (_) @right) @binary
(tuple_expression) @tuple
(tuple_type) @tuple
(assignment_expression left: (_) @target right: (_) @value) @assign
(compound_assignment_expr left: (_) @target right: (_) @value) @augment
(let_declaration pattern: (_) @target type: (_) @type value: (_) @value) @let
(block) @block

; Transparent: a reference, cast or bracket says nothing of what is inside.
(generic_function function: (_) @value) @inner
(generic_type_with_turbofish type: (_) @value) @inner
(parenthesized_expression) @inner
(reference_expression value: (_) @value) @inner
(type_cast_expression value: (_) @value) @inner
(unsafe_block) @inner
(async_block) @inner
(gen_block) @inner
(try_block) @inner
(const_block body: (_) @value) @inner
(expression_statement) @inner
(reference_type type: (_) @value) @inner
(pointer_type type: (_) @value) @inner
(abstract_type trait: (_) @value) @inner
(dynamic_type trait: (_) @value) @inner
(higher_ranked_trait_bound type: (_) @value) @inner
(removed_trait_bound) @inner
(bracketed_type) @inner
(qualified_type type: (_) @value) @inner
(mut_pattern) @inner
(ref_pattern) @inner
(reference_pattern) @inner

(line_comment) @comment
(block_comment) @comment

(attribute_item) @skip
(inner_attribute_item) @skip
(empty_statement) @skip
(visibility_modifier) @skip
(function_modifiers) @skip
(mutable_specifier) @skip
(lifetime) @skip
(label) @skip
(where_clause) @skip
(foreign_mod_item) @skip
