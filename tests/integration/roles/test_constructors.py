"""Constructors under the guard: refused in strict, otherwise as without it, and put back exactly."""

import pytest

CLASSES = '''
import abc, collections, dataclasses, enum, threading
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
import attrs, pydantic

T = TypeVar("T")

class Plain:
    """A docstring."""

class WithInit:
    def __init__(self, a: "int", b=1, *args: str, c: Any = None, **kwargs) -> None:
        """How to build one."""
        self.a = a

    __init__.mark = 1

class WithNew:
    def __new__(cls, a: int, b=2):
        """How to allocate one."""
        return super().__new__(cls)

class Both:
    def __new__(cls, *args):
        return super().__new__(cls)

    def __init__(self, a):
        self.a = a

class Inherits(WithInit):
    pass

class InheritsNew(WithNew):
    pass

class InheritsBoth(Both):
    pass

class Above:
    def __init__(self, a, b=3):
        self.above = a

class BelowAbove(Above):
    pass

class Mixin:
    def __init__(self, *args):
        self.mixed = args
        super().__init__()

class First:
    pass

class Mixed(First, Mixin):
    pass

class Swallows:
    def __new__(cls, *args):
        return object.__new__(cls)

class CallsObject(Swallows):
    def __init__(self, a):
        super().__init__(a)

class Slots:
    __slots__ = ("a",)

class Dict(dict):
    pass

class Error(Exception):
    pass

class Int(int):
    pass

class Tuple(tuple):
    __slots__ = ()

class Named(NamedTuple):
    a: int
    b: str = "b"

class Thread(threading.Thread):
    pass

class Listing(Protocol):
    def names(self): ...

class Implements(Listing):
    pass

class ImplementsAndInherits(Listing, Above):
    pass

class Abstract(abc.ABC):
    @abc.abstractmethod
    def names(self): ...

class Concrete(Abstract):
    def names(self): ...

class Generic_(Generic[T]):
    pass

class Meta(type):
    def __call__(cls, *args):
        return super().__call__(*args)

    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return 1

    def __setattr__(cls, name, value):
        raise RuntimeError("no")

    def __delattr__(cls, name):
        raise RuntimeError("no")

class WithMeta(metaclass=Meta):
    pass

@dataclasses.dataclass
class Data:
    a: int
    b: list = dataclasses.field(default_factory=list)

@dataclasses.dataclass(frozen=True, slots=True, order=True)
class FrozenData:
    a: int = 1

@attrs.define
class Attrs:
    a: int
    b: list = attrs.Factory(list)

class Model(pydantic.BaseModel):
    a: int
    b: str = "b"

class ModelWithInit(pydantic.BaseModel):
    a: int

    def __init__(self, a=1):
        super().__init__(a=a)

class Color(enum.Enum):
    RED = 1

class Counter(collections.Counter):
    pass

class Descriptor:
    def __get__(self, instance, owner):
        return lambda *args: setattr(instance, "got", args)

class Described:
    __init__ = Descriptor()

class Returns:
    def __init__(self):
        return 1

class Fails:
    def __init__(self, *args):
        raise LookupError(*args)

class NotCallable:
    __init__ = None
'''
LOOK = """
import copy, dataclasses, inspect, pickle, pydoc, typing
import attrs
import acme.classes as classes

NAMES = [name for name, found in vars(classes).items() if isinstance(found, type) and found.__module__ == "acme.classes"]
CALLS = [(), (1,), (1, 2), ("a",), ([("a", 1)],), (1, 2, 3, 4)]

def outcome(function, *args, **kwargs):
    try:
        made = function(*args, **kwargs)
    except Exception as error:
        return [type(error).__name__, str(error)]
    state = {key: repr(value) for key, value in getattr(made, "__dict__", {}).items() if key in ("a", "b", "mixed", "above", "got")}
    return [type(made).__name__, repr(made) if not isinstance(made, object) else "", state, getattr(made, "args", None)]

def restored(made):
    found = []
    for one in (lambda: copy.copy(made), lambda: copy.deepcopy(made), *(
        (lambda protocol=protocol: pickle.loads(pickle.dumps(made, protocol))) for protocol in range(6)
    )):
        found.append(outcome(one))
    return found

def signature(cls):
    try:
        return str(inspect.signature(cls))
    except ValueError as error:
        return "none"

def hints(function):
    try:
        return repr(typing.get_type_hints(function))
    except (TypeError, NameError) as error:
        return repr(error)

def look():
    found = {}
    for name in NAMES:
        cls = getattr(classes, name)
        facts = found[name] = {}
        facts["calls"] = [outcome(cls, *args) for args in CALLS] + [outcome(cls, a=1), outcome(cls, a=1, b="x"), outcome(cls, z=1)]
        facts["signature"] = signature(cls)
        facts["hints"] = hints(cls.__init__) if cls.__init__ else None
        facts["doc"] = [cls.__doc__, getattr(cls.__init__, "__doc__", None), cls.__init__.__name__ if callable(cls.__init__) and hasattr(cls.__init__, "__name__") else None]
        facts["mark"] = getattr(cls.__init__, "mark", None)
        facts["pickled"] = pickle.loads(pickle.dumps(cls)) is cls
        facts["fields"] = [field.name for field in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else None
        facts["mro"] = [one.__name__ for one in type.mro(cls)] if name != "WithMeta" else None
        facts["subclass"] = outcome(lambda: type(cls).__call__(type("Sub", (cls,), {"__module__": "acme.classes"}), 1)) if name not in ("Color", "Named", "WithMeta") else None
        for args in CALLS:
            try:
                made = cls(*args)
            except Exception:
                continue
            facts["restored"] = restored(made)
            facts["again"] = outcome(lambda: made.__init__(*args))
            break
    found["Model"]["schema"] = classes.Model.model_json_schema()
    found["Model"]["validated"] = [repr(classes.Model.model_validate({"a": 1})), repr(classes.Model(a=2).model_copy(update={"b": "c"}))]
    found["ModelWithInit"]["validated"] = repr(classes.ModelWithInit.model_validate({"a": 3}))
    class Child(classes.Model):
        c: int = 1
    class Owner(classes.pydantic.BaseModel):
        child: Child
    found["Model"]["child"] = [repr(Child(a=1)), repr(Owner.model_validate({"child": {"a": 1}})), str(inspect.signature(Child)), Child.__pydantic_custom_init__]
    found["Attrs"]["fields"] = [field.name for field in attrs.fields(classes.Attrs)]
    found["Attrs"]["evolved"] = repr(attrs.evolve(classes.Attrs(1), a=2))
    found["Data"]["replaced"] = repr(dataclasses.replace(classes.Data(1), a=2))
    found["Both"]["object"] = outcome(lambda: classes.Plain.__init__(object()))
    return found

def dicts():
    return {name: {key: vars(getattr(classes, name)).get(key) for key in ("__init__", "__new__")} for name in NAMES}
"""


@pytest.fixture(scope="module")
def looked(lab):
    roles = "[{'id': name, 'canonical': f'acme.classes:{name}', 'instances': {'max': 100000}} for name in look.NAMES]"
    main = f"""
        import lab, look
        before, held = look.look(), look.dicts()
        guard = lab.install({{"packages": ["acme"], "roles": {roles}}})
        watched = [name for name, one in look.dicts().items() if one["__init__"] is not held[name]["__init__"]]
        during = look.look()
        internal = guard.status()["first_errors"]
        guard.uninstall()
        after = look.look()
        same = [all(one[key] is held[name][key] for key in one) for name, one in look.dicts().items()]
        guard.uninstall()
        lab.out(before=before, during=during, after=after, same=same, watched=watched, internal=internal)
    """
    files = {"acme/__init__.py": "", "acme/classes.py": CLASSES, "look.py": LOOK, "main.py": main}
    answer = lab.run(files, {}, server=("asyncio", "attrs", "concurrent.futures.thread", "pydantic", "unittest.mock"))
    assert answer.error is None, (answer.error, answer.stderr)
    assert answer.out["internal"] == {}
    return answer.out


@pytest.fixture(scope="module")
def lab(lab_session):
    return lab_session


def differences(one, other):
    return {
        (name, fact): (one[name][fact], other[name].get(fact))
        for name in one
        for fact in one[name]
        if one[name][fact] != other[name].get(fact)
    }


def test_nearly_all_classes_are_watched(looked):
    assert set(looked["before"]) - set(looked["watched"]) - {"Color"} == {
        "Listing",  # nobody builds a protocol
        "Meta",
        "NotCallable",
        *("Int", "Tuple"),  # immutable types look at whether their class has a constructor
    }


def test_classes_behave_as_without_the_guard(looked):
    different = differences(looked["before"], looked["during"])

    # Wrong arguments for an abstract class: either message is true, and which one comes first is not.
    assert set(different) == {("Abstract", "calls"), ("Abstract", "subclass")}
    assert all(error == "TypeError" for calls in different[("Abstract", "calls")] for error, _ in calls)


def test_classes_behave_as_before_after_it(looked):
    assert differences(looked["before"], looked["after"]) == {}


def test_every_constructor_is_put_back(looked):
    assert all(looked["same"])


DOCUMENTED = '''
class Registry:
    def __init__(self, a):
        """
        >>> Registry(1).a
        1
        """
        self.a = a


def create(a):
    """
    >>> create(2).a
    2
    """
    return Registry(a)
'''


def test_their_examples_are_still_found_and_run(lab):
    main = """
        import doctest
        import lab
        guard = lab.install()
        import acme.documented
        finder = doctest.DocTestFinder(exclude_empty=True)
        names = sorted(test.name for test in finder.find(acme.documented))
        lab.out(names=names, result=list(doctest.testmod(acme.documented))[:2])
    """
    files = {"acme/__init__.py": "", "acme/documented.py": DOCUMENTED, "main.py": main}
    home = {"id": "r", "canonical": "acme.documented:Registry", "factory": ["acme.documented:create"]}
    answer = lab.run(files, {"packages": ["acme"], "roles": [home]})

    assert answer.out["names"] == ["acme.documented.Registry.__init__", "acme.documented.create"]
    assert answer.out["result"] == [0, 2]


def test_a_thread_may_begin_with_a_constructor(lab):
    home = """
        class Registry:
            def __init__(self, kept, done):
                kept.append(self)
                done.release()

        class OwnRegistry(Registry):
            def __new__(cls, *args):
                return super().__new__(cls)
    """
    main = """
        import _thread
        import lab
        guard = lab.install()
        import acme.home
        kept, done = [], _thread.allocate_lock()
        for cls in (acme.home.Registry, acme.home.OwnRegistry):
            done.acquire(blocking=False)
            _thread.start_new_thread(cls, (kept, done))
            done.acquire()
        acme.home.Registry(kept, done)
        guard.check()
        lab.out(kept=len(kept), census=guard.census()["r"])
    """
    home_rule = {"id": "r", "canonical": "acme.home:Registry", "instances": {"max": 1}}
    files = {"acme/__init__.py": "", "acme/home.py": home, "main.py": main}
    answer = lab.run(files, {"packages": ["acme"], "roles": [home_rule]})

    assert answer.error is None, answer.error
    assert answer.internal_errors == {}
    assert (answer.out["census"]["live"], answer.out["census"]["created"]) == (3, 3)
    assert [row["code"] for row in answer.violations] == ["SSG202"] * 2


SENT = """
class Registry:
    def __init__(self, a):
        self.a = a

class OwnRegistry(Registry):
    def __new__(cls, a):
        return super().__new__(cls)

class BareRegistry:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a

class InheritsRegistry:
    pass

def create(a):
    return Registry(a)
"""


ARRIVED = """
import pickle, sys
first, own, bare, inherits, create = pickle.load(sys.stdin.buffer)
print([first(1).a, first(2).a, own(3).a, bare(4).a, bare(5).a, type(inherits()).__name__, create(6).a, "acme" in sys.modules])
"""


def test_a_class_that_is_sent_by_value_works_where_it_arrives(lab):
    main = """
        import subprocess, sys
        import cloudpickle
        import lab
        guard = lab.install()
        import acme.sent
        cloudpickle.register_pickle_by_value(acme)
        text = cloudpickle.dumps([getattr(acme.sent, name) for name in lab.case["names"]])
        found = subprocess.run([sys.executable, "-c", lab.case["arrived"]], input=text, capture_output=True, cwd="/")
        lab.out(said=found.stdout.decode(), error=found.stderr.decode())
    """
    names = ["Registry", "OwnRegistry", "BareRegistry", "InheritsRegistry", "create"]
    role = {"instances": {"max": 1}, "factory": ["acme.sent:create"], "construct-budget": {"seconds": 5}}
    roles = [{"id": name, "canonical": f"acme.sent:{name}"} | role for name in names[:-1]]
    files = {"acme/__init__.py": "", "acme/sent.py": SENT, "main.py": main}
    answer = lab.run(files, {"packages": ["acme"], "roles": roles}, names=names, arrived=ARRIVED)

    assert answer.error is None, answer.error
    assert answer.out["error"] == ""
    assert answer.out["said"] == "[1, 2, 3, 4, 5, 'InheritsRegistry', 6, False]\n"


def test_objects_that_were_there_before_the_guard_are_found_at_the_check(lab):
    main = """
        import acme.home
        first = acme.home.Registry()
        import lab
        guard = lab.install()
        before = guard.census()["r"]["live"]
        guard.check()
        after = guard.census()["r"]["live"]
        second = acme.home.Registry()
        lab.out(live=[before, after], lines=[row["line"] for row in lab.rows()], message=lab.rows()[0]["message"])
    """
    files = {"acme/__init__.py": "", "acme/home.py": "class Registry: ...\n", "main.py": main}
    rule = {"id": "r", "canonical": "acme.home:Registry", "instances": {"max": 1}}
    answer = lab.run(files, {"packages": ["acme"], "roles": [rule]})

    assert answer.out["live"] == [0, 1]
    assert answer.out["lines"] == [8]
    assert answer.out["message"].endswith("the first was built at a place that was not seen")
