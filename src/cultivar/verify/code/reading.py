"""Code and tests out of a model's reply, without running any of it."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
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

    Raises Unparsable if it is no Python, or does not define ``entry`` (a function, a class or another name).
    """
    blocks = fenced_blocks(reply)
    python = [body for language, body in blocks if language in PYTHON] or [body for _, body in blocks]
    code = max(python, key=len, default=reply).strip("\n")
    tree = parsed(code)
    if not tree.body:
        raise Unparsable("there is no code in the reply; give it in one ```python block", "no-code")
    if entry and entry not in _defined(tree):
        raise Unparsable(f"the code defines no {entry!r}; define it at the top level", "no-code")
    return code


def assertions(reply: str) -> Assertions:
    """The assertions of a reply's blocks, each with the imports and assignments that stand before it.

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
        for statement in tree.body:
            if isinstance(statement, ast.Assert):
                calls = [node for node in ast.walk(statement.test) if isinstance(node, ast.Call)]
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
