"""Code and tests out of a model's reply, without running any of it."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cultivar.core.errors import Unparsable
from cultivar.core.replies import fenced_blocks

MOST_CODE = 20_000
"""Characters of code that are read."""
MOST_ASSERTIONS = 50
PYTHON = ("python", "py", "python3")


@dataclass(frozen=True)
class Assertions:
    """``tests`` are programs with one assertion each; ``entry`` is what they call, ``call`` one such call."""

    entry: str
    call: str
    tests: tuple[str, ...]


def code_of(reply: str, entry: str = "") -> str:
    """The Python code of a reply: its longest block, or the whole reply where there is no block.

    With ``entry`` (a function, a class or another name) the longest block that defines it, after those blocks that
    define what it needs. Raises Unparsable if that is no Python, or nothing defines ``entry``.
    """
    blocks = fenced_blocks(reply)
    python = [body for language, body in blocks if language in PYTHON] or [body for _, body in blocks] or [reply]
    parts = {part.strip("\n"): _names(part.strip("\n")) for part in python}
    code = max([part for part in parts if entry in parts[part]] or parts, key=len)
    tree = parsed(code)
    if not tree.body:
        raise Unparsable("there is no code in the reply; give it in one ```python block", "no-code")
    if entry and entry not in parts[code]:
        raise Unparsable(f"the code defines no {entry!r}; define it at the top level", "no-code")
    needed = _globals(code) - parts[code]
    helpers = [part for part, names in parts.items() if entry and entry not in names and names & needed]
    whole = "\n\n".join([*helpers, code])
    parsed(whole)
    return whole


def assertions(reply: str) -> Assertions:
    """The assertions of a reply's blocks, each with the imports and assignments that stand before it.

    Read are also those within functions ``test_...()``, and errors demanded by ``with pytest.raises(...)`` or by try.
    Only those count that call the function that most of them call: a test of something else tests nothing. Raises
    Unparsable if there is none.
    """
    blocks = fenced_blocks(reply)
    python = [body for language, body in blocks if language in (*PYTHON, "")]
    tree = parsed("\n".join(python) if python else reply)
    setting: list[str] = []
    known = set(dir(builtins))
    found: list[tuple[str, list[ast.Call]]] = []
    try:
        for statement in _flat(tree.body):
            if isinstance(statement, ast.Assert | ast.Try):
                tested = statement.test if isinstance(statement, ast.Assert) else ast.Module(statement.body, [])
                calls = [node for node in ast.walk(tested) if isinstance(node, ast.Call)]
                own = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id not in known]
                found.append(("\n".join([*setting, ast.unparse(statement)]), own))
            elif isinstance(statement, ast.Import | ast.ImportFrom | ast.Assign):
                setting.append(ast.unparse(statement))
                known |= _defined(ast.Module([statement], []))
        names = Counter(name for _, calls in found for name in {ast.unparse(call.func) for call in calls})
        entry = max(names, key=lambda name: names[name], default="")
        called = [(text, [c for c in calls if ast.unparse(c.func) == entry]) for text, calls in found]
        kept = [(text, calls) for text, calls in called if calls]
        if not kept:
            why = "there is no assertion that calls a function of the solution; write `assert name(...) == ...` lines"
            raise Unparsable(why, "no-tests")
        tests = tuple(dict.fromkeys(text for text, _ in kept))[:MOST_ASSERTIONS]
        return Assertions(entry, ast.unparse(kept[0][1][0]), tests)
    except RecursionError:
        raise Unparsable("the tests are nested too deeply", "no-tests") from None


def _flat(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a test, out of its functions; a demanded error as try, except and else."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef) and statement.name.startswith("test"):
            yield from _flat(statement.body)
        elif isinstance(statement, ast.With) and (error := _raised(statement.items)) is not None:
            handler = ast.ExceptHandler(error, None, [ast.Pass()])
            missing = ast.Assert(ast.Constant(False), ast.Constant(f"no {ast.unparse(error)}"))
            yield ast.Try(statement.body, [handler], [missing], [])
        elif _of_use(statement):
            yield statement


def _of_use(statement: ast.stmt) -> bool:
    """Not an import from outside the standard library (pytest, or what a tester takes the solution's module to be), nor
    a try that passes without an error: one that is of use asserts False, and catches no AssertionError."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        first = statement.module if isinstance(statement, ast.ImportFrom) else None
        names = [alias.name for alias in statement.names] if first is None else [first]
        return all(name.partition(".")[0] in sys.stdlib_module_names for name in names)
    if not isinstance(statement, ast.Try):
        return True
    caught = [ast.unparse(handler.type) if handler.type else "Exception" for handler in statement.handlers]
    last = (statement.orelse or statement.body)[-1]
    fails = isinstance(last, ast.Assert) and isinstance(last.test, ast.Constant) and not last.test.value
    return fails and not any(name in error for error in caught for name in ("Exception", "AssertionError"))


def _raised(items: list[ast.withitem]) -> ast.expr | None:
    """The error of ``with pytest.raises(ValueError)``."""
    call = items[0].context_expr if len(items) == 1 else None
    if isinstance(call, ast.Call) and call.args and ast.unparse(call.func) in ("pytest.raises", "raises"):
        return call.args[0]
    return None


def parsed(code: str) -> ast.Module:
    """Raises Unparsable for what is no Python, or too much of it."""
    if len(code) > MOST_CODE:
        raise Unparsable(f"the code is {len(code):,} characters long; at most {MOST_CODE:,} are read", "no-code")
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise Unparsable(f"the code is no Python: {error.msg} (line {error.lineno} of it)", "no-code") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unparsable(f"the code is no Python: {str(error) or 'it is nested too deeply'}", "no-code") from None


def _names(code: str) -> set[str]:
    """What a piece of code defines; nothing if it is no Python."""
    try:
        return _defined(parsed(code))
    except Unparsable:
        return set()


def _globals(code: str) -> set[str]:
    """The global names that a piece of code refers to."""
    try:
        tables = [symtable.symtable(code, "reply", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        top = table.get_type() == "module"
        names |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())}
    return names


def _defined(tree: ast.Module) -> set[str]:
    """The names that a module's top level binds."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in ast.walk(node) if isinstance(target, ast.Name)}
    return names


def code_lines(text: str) -> set[str]:
    """The lines of a text that look like code: those in fences, and those that begin like a statement."""
    starts = ("def ", "for ", "while ", "if ", "return ", "class ", "import ", "from ", "print(", "@", "    ")
    fenced = {line for _, body in fenced_blocks(text) for line in body.splitlines()}
    return {line.strip() for line in text.splitlines() if line in fenced or line.startswith(starts)} - {""}
