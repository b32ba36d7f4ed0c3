"""Of a notebook's statements those that a check needs: so a test can run it without the rest."""

import ast

CHANGING = {"append", "fit", "train"}  # methods that change what they are called on


def needed(statements, wanted):
    """Those for which `wanted(statement)` is true, and all that they rest on, in order.

    It goes backwards: a statement is needed if it binds, or changes, a name that is used later on.
    It sees names only. A function that changes what it is handed does not count as changing it.
    """
    kept, names = [], set()
    for statement in reversed(statements):
        changed = _changed(statement)
        if wanted(statement) or changed & names:
            kept.append(statement)
            if _binds_all(statement):
                names -= changed
            names |= _used(statement)
    return kept[::-1]


def _binds_all(statement):
    """Whether what was there before, under the names that it changes, is gone afterwards."""
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Name | ast.Tuple) for target in statement.targets)
    return isinstance(statement, ast.FunctionDef | ast.Import | ast.ImportFrom)


def _changed(node):
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    found = set()
    if isinstance(node, ast.alias):
        found = {(node.asname or node.name).split(".")[0]}
    elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        found = set() if isinstance(node.ctx, ast.Load) else {_root(node)}
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        found = {_root(node.func)} if node.func.attr in CHANGING else set()
    return found.union(*map(_changed, ast.iter_child_nodes(node)))


def _used(node):
    """The names that it takes from elsewhere, not those of a function's own."""
    found = {node.id} if isinstance(node, ast.Name) else set()
    found = found.union(*map(_used, ast.iter_child_nodes(node)))
    if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ListComp | ast.GeneratorExp):
        inside = list(ast.walk(node))
        own = {part.arg for part in inside if isinstance(part, ast.arg)}
        own |= {p.id for p in inside if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}
        arguments = [part for part in inside if isinstance(part, ast.arguments)]
        found = (found - own).union(*(_used(d) for a in arguments for d in a.defaults))
    return found


def _root(node):
    """net of net.history[-1]; None of what does not begin with a name."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
