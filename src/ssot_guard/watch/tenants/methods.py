"""A check in front of what the users of an isolated object call.

The check is a plain function with the method's own parameters, made once for each shape of parameters, so it costs a
look into a dictionary, a comparison, and no packing of arguments. It is the same for every kind of method, because the
call is what is judged: a coroutine, a generator or an asynchronous generator is handed on as it is, and the code flags
of the check say which kind the method is. (From 3.11 on CPython makes them by an instruction, not by the flag.)
"""

from __future__ import annotations

from _functools import partial

from ssot_guard.watch.classes import is_class, key_of
from ssot_guard.watch.dress import dress, uncounted
from ssot_guard.watch.tenants.current import declared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from ssot_guard.watch.tenants.current import Tenants

    Judge = Callable[[Any, "Spot"], BaseException | None]

# What people call by its name, and the operators that use an object; what only looks at it is left alone.
_OPERATORS = frozenset((
    "__aenter__", "__aiter__", "__anext__", "__await__", "__call__", "__delitem__", "__enter__", "__getitem__",
    "__iter__", "__next__", "__setitem__",
))  # fmt: skip
_FUNCTION: Any = type(lambda: None)
_VARARGS, _VARKEYWORDS = 0x04, 0x08
_KIND = 0x20 | 0x80 | 0x100 | 0x200  # generator, coroutine, iterable coroutine, asynchronous generator
_ANY_SHAPE = "*args, **kwargs", "args[0]", "*args, **kwargs"
# Callables in C with a life of their own (a cache, a name to import): they stay, behind a proxy.
_PROXIED = frozenset(("_lru_cache_wrapper", "cython_function_or_method", "FunctionWrapper"))
_FILE = "<ssot-guard>"
_CHECK = """\
def make(_ssot_function, _ssot_spot):
    def method({parameters}):
        __tracebackhide__ = True
        try:
            _ssot_found = _ssot_find(_ssot_id({me}))
            if _ssot_found is not None and _ssot_found.tenant == (_ssot_declared() or _ssot_source(None)):
                _ssot_verdict = None
            else:
                _ssot_verdict = _ssot_judge({me}, _ssot_spot)
        except _ssot_Exception:
            _ssot_verdict = None
        if _ssot_verdict is not None:
            raise _ssot_verdict
        return _ssot_function({arguments})
    return method
"""


class Spot:
    """What is used: ``pkg.mod:Class.method``, whether as a call or as an attribute, and the code behind it (its id)."""

    __slots__ = ("code", "kind", "target")

    def __init__(self, target: str, kind: str, code: int) -> None:
        self.target = target
        self.kind = kind
        self.code = code


class Methods:
    """Makes the checks. ``table``: where the instances stand; ``judge`` is asked where it is not plainly right."""

    def __init__(self, judge: Judge, tenants: Tenants, table: Any) -> None:
        self._judge = judge
        self._scope: dict[str, Any] = {
            "__name__": __name__, "__builtins__": {}, "_ssot_id": id, "_ssot_Exception": Exception,
            "_ssot_judge": judge, "_ssot_declared": declared,
        }  # fmt: skip
        tenants.tell(partial(self._scope.__setitem__, "_ssot_source"))
        self.look_into(table)
        self._shapes: dict[tuple[str, str, str], Callable[[Any, Spot], Any]] = {}

    def look_into(self, table: Any) -> None:
        """Where the instances stand; ``live`` must stay the same dictionary."""
        self._scope["_ssot_find"] = table.live.get

    def checked(self, cls: type, name: str, value: Any) -> Any:
        """What to put in the place of an attribute of a class; None where there is nothing to check."""
        if name.startswith("_") and name not in _OPERATORS:
            return None
        target = f"{':'.join(key_of(cls))}.{name}"
        if type(value) is _FUNCTION:
            return self._function(value, target, "call")
        if type(value) is property:
            return self._property(cls, name, value, target)
        if type(value).__name__ in _PROXIED and callable(value):
            return self._proxy(value, Spot(target, "call", 0))
        return None

    def _property(self, cls: type, name: str, value: property, target: str) -> Any:
        parts = (value.fget, value.fset, value.fdel)
        checks: list[Any] = [
            self._function(part, target, "attribute") if type(part) is _FUNCTION else part for part in parts
        ]
        ours: Any = property(checks[0], checks[1], checks[2], value.__doc__)
        ours.__set_name__(cls, name)  # its messages name the attribute
        return ours

    def _proxy(self, value: Any, spot: Spot) -> Any:
        from ssot_guard.watch.proxy import binding

        @uncounted
        def check(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            __tracebackhide__ = True
            used = args[0] if instance is None and args else instance  # `Class.method(object)`
            verdict = None if used is None or is_class(used) else self._judge(used, spot)
            if verdict is not None:
                raise verdict
            return wrapped(*args, **kwargs)

        return binding(value, check)

    def _function(self, function: Any, target: str, kind: str) -> Any:
        shape = _shape(function.__code__)
        try:
            make = self._shapes.get(shape) or self._compiled(shape)
        except SyntaxError:  # parameters that nobody could have written
            make = self._compiled(_ANY_SHAPE)
        return alike(make(function, Spot(target, kind, id(function.__code__))), function)

    def _compiled(self, shape: tuple[str, str, str]) -> Callable[[Any, Spot], Any]:
        parameters, me, arguments = shape
        source = _CHECK.format(parameters=parameters, me=me, arguments=arguments)
        namespace: dict[str, Any] = {}
        exec(compile(source, _FILE, "exec"), self._scope, namespace)  # noqa: S102 - names of parameters in a text of ours
        make: Callable[[Any, Spot], Any] = namespace["make"]
        self._shapes[shape] = make
        return make


def _shape(code: CodeType) -> tuple[str, str, str]:
    """The parameters of a check, the first of them, and the arguments that it hands on."""
    names, count, positional = code.co_varnames, code.co_argcount, code.co_posonlyargcount
    keyword = code.co_kwonlyargcount
    if not count or not all(map(_is_free, names[: count + keyword + 2])):
        return _ANY_SHAPE
    parameters = [*names[:positional], *(["/"] if positional else []), *names[positional:count]]
    arguments = list(names[:count])
    extra = count + keyword
    if code.co_flags & _VARARGS:
        parameters.append(f"*{names[extra]}")
        arguments.append(f"*{names[extra]}")
        extra += 1
    elif keyword:
        parameters.append("*")
    parameters += names[count : count + keyword]
    arguments += [f"{name}={name}" for name in names[count : count + keyword]]
    if code.co_flags & _VARKEYWORDS:
        parameters.append(f"**{names[extra]}")
        arguments.append(f"**{names[extra]}")
    return ", ".join(parameters), names[0], ", ".join(arguments)


def _is_free(name: str) -> bool:
    """Whether a parameter may have its own name in a check."""
    return name.isidentifier() and not name.startswith("_ssot_") and name != "__tracebackhide__"


def alike(check: Any, function: Any) -> Any:
    """The check with everything by which people and frameworks tell functions apart."""
    code, original = check.__code__, function.__code__
    code = code.replace(
        co_flags=code.co_flags | (original.co_flags & _KIND), co_name=original.co_name, co_qualname=original.co_qualname
    )
    ours = _FUNCTION(code, check.__globals__, function.__name__, None, check.__closure__)
    ours.__defaults__, ours.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    return dress(ours, function)
