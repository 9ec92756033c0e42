; What each kind of node is, for the lowering to facts. See server/syntax/src/kinds.rs for the form.
; Kinds that are not named here are handled by the adapter, or unknown.

(identifier) @name
(attribute object: (_) @base attribute: (_) @member) @attribute
(call function: (_) @callee arguments: (_) @arguments) @call
(integer) @number
(float) @number
(true) @true
(false) @false
(none) @null
(ellipsis) @null
(list) @list
(set) @list
(list_pattern) @list
(tuple) @tuple
(tuple_pattern) @tuple
(pattern_list) @tuple
(expression_list) @tuple
(not_operator argument: (_) @value) @not
(unary_operator argument: (_) @value) @unary
(boolean_operator left: (_) @left operator: _ @operator right: (_) @right) @binary
(binary_operator left: (_) @left operator: _ @operator right: (_) @right) @binary
(await) @await
(yield) @yield
(list_splat) @spread
(list_splat_pattern) @spread
(dictionary_splat) @spread_map
(dictionary_splat_pattern) @spread_map
(named_expression name: (_) @target value: (_) @value) @assign
(parenthesized_expression) @inner
(type) @inner
(expression_statement) @inner
(as_pattern_target) @inner

(assignment left: (_) @target type: (_) @type right: (_) @value) @let
(augmented_assignment left: (_) @target right: (_) @value) @augment
(return_statement) @return
(raise_statement) @raise
(break_statement) @break
(continue_statement) @continue
(assert_statement) @assert
(block) @block
(comment) @comment

(pass_statement) @skip
(global_statement) @skip
(nonlocal_statement) @skip
(future_import_statement) @skip
(line_continuation) @skip
