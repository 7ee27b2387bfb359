"""What the strings of a policy must look like: each function returns a complaint, or None for a good one."""

from __future__ import annotations

from ssot_guard.names import EXACT, Pattern, PatternSyntaxError, parse
from ssot_guard.policy import sequence as sequences
from ssot_guard.policy.globs import complaint, is_path
from ssot_guard.policy.kinds import meant

_SINKS = ("jsonl", "log", "otel", "prometheus", "warnings")
_GLOB = str.maketrans({"*": "_", "?": "_", "[": "_", "]": "_", "!": "_", "-": "_"})


def identifier(text: str) -> str | None:
    """A Python name."""
    return None if text.isidentifier() else f"{text!r} is not a Python name"


def name_glob(text: str) -> str | None:
    """A Python name, wildcards allowed."""
    return None if _is_name(text, globs=True) else f"{text!r} is not a Python name (with `*` and `?` as wildcards)"


def dotted(text: str) -> str | None:
    """A dotted path of attributes: ``self.context.user_id``."""
    good = all(part.isidentifier() for part in text.split("."))
    return None if good else f"{text!r} is not a dotted path of attributes such as `self.user_id`"


def package(text: str) -> str | None:
    """An entry of ``packages``: a module, or `!` and a subtree to leave out."""
    found = _parsed(text.removeprefix("!"))
    if isinstance(found, str):
        return found
    return None if found.name is None else f"{text!r} is a name; packages are modules, write `{found.module}`"


def deprecated(text: str) -> str | None:
    """What an import rule deprecates: modules, or one name of a module."""
    found = _parsed(text)
    if isinstance(found, str) or found.name is None or found.name.isidentifier():
        return found if isinstance(found, str) else None
    if set(found.name) & set("*?["):
        return f"{text!r} has a wildcard in its name part; list the names, or deprecate the module `{found.module}`"
    return f"{text!r}: {found.name!r} is no name that a module could export; write `{found.module}:Name`"


def canonical(text: str) -> str | None:
    """Where an import rule's target moved: modules, or one name of one module."""
    found = _parsed(text)
    if isinstance(found, str) or found.name is None:
        return found if isinstance(found, str) else None
    return reference(text)


def destination(text: str) -> str | None:
    """Exactly one module, or one name of it."""
    found = _parsed(text)
    if isinstance(found, str) or found.name is not None:
        return found if isinstance(found, str) else reference(text)
    wild = "*" in text
    return f"{text!r} must name one place, without wildcards" if wild else None


def reference(text: str) -> str | None:
    """One object of the application: ``pkg.mod:Name`` or ``pkg.mod:Class.method``."""
    found = _parsed(text)
    if isinstance(found, str):
        return found
    if found.name is None:
        return f"{text!r} names a module; write `pkg.mod:Name`{_split(text)}"
    if "*" in text or found.reach != EXACT or not _is_name(found.name, globs=False):
        return f"{text!r} must name one object, `pkg.mod:Name` or `pkg.mod:Class.method`, without wildcards"
    return None


def importer(text: str) -> str | None:
    """Modules, names or files; wildcards allowed."""
    return complaint(text) if is_path(text) else pattern(text)


def pattern(text: str) -> str | None:
    """Modules or names; wildcards allowed."""
    found = _parsed(text)
    if isinstance(found, str):
        return found
    good = found.name is None or _is_name(found.name, globs=True)
    return None if good else f"{text!r}: {found.name!r} is not a name (with `*` and `?` as wildcards)"


def member(text: str) -> str | None:
    """What plays a role: a glob of names, or ``pkg.**:*Name``."""
    if ":" in text:
        return pattern(text)
    if "." in text or "/" in text:
        return f"{text!r} is a module or a path; write a glob of names (`*Registry`) or `pkg.mod:*Registry`"
    return name_glob(text)


def rule_id(text: str) -> str | None:
    """What can stand in ``--select``, in an ignore comment and in the baseline."""
    if text[:3].upper() == "SSG" and text[3:].isdigit():
        return f"{text!r} is a code; choose another id"
    good = text.isprintable() and text[0].isalnum() and not set(text) & set(" ,:[]()'\"#*")
    return None if good else f"{text!r} cannot be an id; write letters, digits and `-`, `_`, `.`"


def tag(text: str) -> str | None:
    """A tag: can stand behind ``tag:``."""
    good = text.isprintable() and not set(text) & set(" ,:")
    return None if good else f"{text!r} cannot be a tag; write letters, digits and `-`, `_`, `.`"


def selection(text: str) -> str | None:
    """A code, ``tag:…``, ``owner:…`` or a rule id (whether it exists is another question)."""
    prefix, colon, value = text.partition(":")
    if not colon:
        return None if " " not in text and "," not in text else f"{text!r} is one text; write a list"
    if prefix in ("tag", "owner"):
        return None if value else f"{text!r} has nothing after the colon"
    return f'{text!r} is no selection; write a rule id, a code, "tag:…" or "owner:…"'


def variable(text: str) -> str | None:
    """``$NAME``: an environment variable."""
    return None if is_variable(text) else f"{text!r} must name an environment variable: `$NAME`"


def is_variable(text: str) -> bool:
    """Whether the whole text is ``$NAME``."""
    return text[:1] == "$" and text[1:].isidentifier()


def label(text: str) -> str | None:
    """A plain text, or ``$NAME``; half of one would be published as it stands."""
    if "$" not in text or is_variable(text):
        return None
    return f"{text!r}: a variable must be the whole value, `$NAME`"


def sink(text: str) -> str | None:
    """A sink's name and, behind a colon, its argument."""
    name, colon, argument = text.partition(":")
    if name not in _SINKS:
        return f"{text!r} is no sink{meant(name, _SINKS)}"
    if name == "jsonl":
        return None if argument else f'{text!r} needs a place: "jsonl:-", "jsonl:/folder" or "jsonl:/file.jsonl"'
    return f"{text!r}: {name} takes nothing behind a colon" if colon else None


def sequence(text: str) -> str | None:
    """A contract of events."""
    return sequences.complaint(text)


def _parsed(text: str) -> Pattern | str:
    """The pattern, or the complaint."""
    if is_path(text):
        dots = text.removesuffix(".py").strip("/").replace("/", ".")
        return f"{text!r} is a path; write the dotted module name, such as `{dots}`"
    try:
        return parse(text)
    except PatternSyntaxError as error:
        return str(error)


def _is_name(text: str, *, globs: bool) -> bool:
    """A name, or dotted names as in ``Class.method``."""
    parts = text.split(".")
    if not globs:
        return all(part.isidentifier() for part in parts)
    return all(part and f"_{part}".translate(_GLOB).isidentifier() for part in parts)


def _split(text: str) -> str:
    """A guess at what was meant, for the usual slip of a dot instead of the colon."""
    module, _, name = text.rpartition(".")
    return f", such as `{module}:{name}`" if module and "*" not in text else ""
