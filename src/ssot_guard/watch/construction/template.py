"""Functions that take exactly the arguments of another one: written as text, as ``dataclasses`` does.

Passing ``*args, **kwargs`` on is a sixth of what a construction costs; and who looks at a constructor's code for the
names of its parameters, as some containers do, finds them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_VARARGS, _VARKEYWORDS = 0x04, 0x08  # of `co_flags`
_FUNCTION = type(lambda: None)
_OURS = "_ssot_guard_"  # what names of ours begin with: a parameter may be called as it likes
_ANYTHING = "self, /, *args, **kwargs", "self, *args, **kwargs"
_PACKED = "self, /, *args, **kwargs", "self, args, kwargs"
_compiled: dict[tuple[str, ...], CodeType] = {}


def build(text: str, theirs: Any, *, packed: bool = False, **ours: Any) -> Any:
    """The function that a text defines, with the parameters of another function.

    In the text ``PARAMETERS`` stands for those, ``ARGUMENTS`` for passing them on, and ``SELF`` for the first one.
    Every other name in it begins with ``$``: what ``ours`` gives, and its variables. ``packed``: it takes anything, and
    passes it on as it came, a tuple and a dictionary.
    """
    parameters, arguments = _PACKED if packed else _signature(theirs) or _ANYTHING
    key = text, parameters, arguments, *ours
    code = _compiled.get(key)
    if code is None:
        code = _compiled[key] = compile(_written(text, parameters, arguments, ours), "<constructor>", "exec")
    scope: dict[str, Any] = {"__name__": __name__}
    exec(code, scope)  # noqa: S102 - our own text, and the names of parameters
    made = scope["make"](*ours.values())
    if parameters is not _ANYTHING[0] and not packed:
        made.__defaults__, made.__kwdefaults__ = theirs.__defaults__, theirs.__kwdefaults__
    return made


def _written(text: str, parameters: str, arguments: str, ours: dict[str, Any]) -> str:
    names = ", ".join(_OURS + name for name in ours)
    text = text.replace("$", _OURS).replace("SELF", arguments.partition(",")[0])
    text = text.replace("PARAMETERS", parameters).replace("ARGUMENTS", arguments).strip().replace("\n", "\n    ")
    made = text.partition("(")[0].removeprefix("def ")
    return f"def make({names}):\n    {text}\n    return {made}\n"


def _signature(theirs: Any) -> tuple[str, str] | None:
    """Its parameters as they are declared, without defaults, and as they are passed on; None for what has no name."""
    if type(theirs) is not _FUNCTION or not theirs.__code__.co_argcount:
        return None
    code = theirs.__code__
    names = iter(code.co_varnames)
    positional = [next(names) for _ in range(code.co_argcount)]
    keywords = [next(names) for _ in range(code.co_kwonlyargcount)]
    more = [f"*{next(names)}"] if code.co_flags & _VARARGS else []
    rest = [f"**{next(names)}"] if code.co_flags & _VARKEYWORDS else []
    every = [*positional, *keywords, *(name.strip("*") for name in (*more, *rest))]
    if not all(name.isidentifier() and not name.startswith(_OURS) for name in every):
        return None
    only = code.co_posonlyargcount
    declared = [*positional[:only], *(["/"] if only else []), *positional[only:]]
    declared += [*(more or (["*"] if keywords else [])), *keywords, *rest]
    return ", ".join(declared), ", ".join([*positional, *more, *(f"{name}={name}" for name in keywords), *rest])
