"""Of a notebook's statements those that a check needs: so a test can run it without the rest."""

import ast

CHANGING = {"append", "fit", "train"}  # methods that change what they are called on
SCOPES = ast.FunctionDef | ast.Lambda | ast.ListComp | ast.DictComp | ast.GeneratorExp


def needed(statements, wanted):
    """Those for which `wanted(statement)` is true, and all that they rest on, in order.

    It goes backwards: a statement is needed if it binds, or changes, a name that is used later on.
    It sees names only: whatever has no name, and is changed through another's, it takes for
    unchanged.
    """
    effects = {}  # a function of the notebook -> the names outside of it that it changes
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            inside = set().union(*(_changed(line, effects) for line in statement.body))
            effects[statement.name] = inside - _own(statement)
    kept, names = [], set()
    for statement in reversed(statements):
        bound = _bound(statement)
        if wanted(statement) or (bound | _changed(statement, effects)) & names:
            kept.append(statement)
            names = (names - bound) | _used(statement)
    return kept[::-1]


def _bound(statement):
    """The names that mean something new after it, whatever they meant before."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(name.asname or name.name).split(".")[0] for name in statement.names}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return set().union(*(_stored(t) for t in targets if isinstance(t, ast.Name | ast.Tuple)))


def _changed(node, effects):
    """The names whose values it changes, or may bind, on its way."""
    if isinstance(node, ast.FunctionDef):
        return set()
    found = set()
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        found = set() if isinstance(node.ctx, ast.Load) else {_root(node)}
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        found = {_root(node.func)} if node.func.attr in CHANGING else set()
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        found = effects.get(node.func.id, set())
    return found.union(*(_changed(child, effects) for child in ast.iter_child_nodes(node)))


def _used(node):
    """The names that it takes from elsewhere, not those of a function's own."""
    children = set().union(*map(_used, ast.iter_child_nodes(node)))
    if isinstance(node, ast.AugAssign):
        return children | {_root(node.target)}
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, SCOPES):
        defaults = getattr(getattr(node, "args", None), "defaults", [])
        return (children - _own(node)).union(*map(_used, defaults))
    return children


def _own(scope):
    arguments = {part.arg for part in ast.walk(scope) if isinstance(part, ast.arg)}
    return arguments | _stored(scope)


def _stored(node):
    names = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _root(node):
    """net of net.history[-1]; None of what does not begin with a name."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
