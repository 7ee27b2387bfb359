"""An exception in any of our functions, one at a time: the application's result never changes."""

import pytest

RULE = {
    "id": "run",
    "emitter": ["acme.ws:Emitter.emit", "acme.ws:send", "acme.ws:soon"],
    "event": "event",
    "run": "message.run",
    "tenant": "self.user_id",
    "sequence": "started (thinking | {tool done})* completed",
    "foreign": ["acme.**:*.notify_*"],
    "within": 0.001,
}
SELF = {"id": "self", "run": "self", "emitter": ["acme.ws:Emitter.emit"]}
WS = """
import asyncio
log = []
class Message:
    def __init__(self, run): self.run = run
class Emitter:
    def __init__(self, user_id): self.user_id = user_id
    def emit(self, event, message):
        if event == "bad": raise ValueError(event)
        log.append((event, message.run, self.user_id))
        return event != "unsent"
    async def send_later(self, event, message): return self.emit(event, message)
    def notify_past(self): return 1
    async def notify_async(self): return 2
    def notify_lazily(self): return self.notify_async()
    def notify_fails(self): raise KeyError
class Sub(Emitter):
    def emit(self, event, message): return super().emit(event, message)
async def send(event, message): return Emitter("alice").emit(event, message)
def soon(event, message): return asyncio.ensure_future(send(event, message))
"""
PROGRAM = """
import types
guard.uninstall()
# What a wrapper calls, and what contains the rest; what is built with the guard itself; what an operator calls.
BOUNDARIES = {"Emitter": "enter leave fail pause resume _done", "Foreign": "enter leave fail pause resume", "Contract": "contain __init__ census",
    "ssot_guard.watch.events.tap": "_finished _named", "_Unstarted": "__init__ __del__", "EventWatcher": "__init__ census"}
BUILT = ("Automaton", "Places", "Breaks", "Runs", "Binding", "_Pattern", "Selves", "Futures")

def application():
    for name in [name for name in sys.modules if name.startswith("acme.ws")]:
        del sys.modules[name]
    import acme.ws as ws
    said = []
    def note(function, *args):
        try: answer = function(*args)
        except Exception as error: answer = repr(error)
        said.append(asyncio.run(answer) if hasattr(answer, "send") else answer)
    async def both():
        for event in ("started", "started", "completed"):
            await ws.soon(event, ws.Message("f"))
        waits = ws.soon("started", ws.Message("w"))
        ws.Emitter("alice").emit("thinking", ws.Message("w"))
        await waits
        return await asyncio.gather(ws.send("started", ws.Message("g")), ws.send("tool", ws.Message("h")))
    for number, cls in enumerate((ws.Emitter, ws.Sub)):
        one, message = cls("alice"), ws.Message(f"{MODE} {number}")
        for event in "started started unsent bad tool thinking done done completed completed".split():
            note(one.emit, event, message)
        note(cls("bob" if MODE == "warn" else "alice").emit, "started", message)
        note(one.emit, "tool", ws.Message(None))
        note(one.emit, None, message)
    note(both)
    for name in ("past", "async", "lazily", "fails"):
        note(getattr(one, "notify_" + name))
    for number in range(5):
        note(one.emit, "started", ws.Message(number))
    return said, list(ws.log)

def functions():
    for name, module in list(sys.modules.items()):
        if not name.startswith(("ssot_guard.watch.events.", "ssot_guard.watch.replacements")):
            continue
        for key, value in list(vars(module).items()):
            if getattr(value, "__module__", "") != name:
                continue
            if isinstance(value, types.FunctionType):
                yield module, key, value
            elif isinstance(value, type):
                for member, inner in list(vars(value).items()):
                    if isinstance(inner, (types.FunctionType, staticmethod, property)):
                        yield value, member, inner

def broken(value):
    def fails(*args, **kwargs):
        hits.append(1)
        raise RuntimeError("injected")
    return property(fails) if isinstance(value, property) else staticmethod(fails)

def patched(owner, name, value):
    if isinstance(owner, type):
        setattr(owner, name, broken(value))
        return lambda: setattr(owner, name, value)
    stand_in, held = broken(value).__func__, []
    for key, module in list(sys.modules.items()):
        for attribute, found in list(vars(module).items()) if key.startswith("ssot_guard.") else ():
            if found is value:
                setattr(module, attribute, stand_in)
                held.append((module, attribute))
    return lambda: [setattr(module, attribute, value) for module, attribute in held]

import ssot_guard.watch.events.watcher, ssot_guard.engine
told["worse"], told["reached"], told["silent"] = [], [], []
for MODE in ("warn", "strict"):
    plain = application()
    for owner, name, value in [(None, "nothing", None), *functions()]:
        home = getattr(owner, "__name__", "")
        if name in BOUNDARIES.get(home, "").split() or (name == "__init__" and home in BUILT):
            continue
        hits = []
        policy = ssot_guard.install(POLICY, mode=MODE)
        import acme.context
        restore = (lambda: None) if owner is None else patched(owner, name, value)
        try:
            answer = application()
            policy.check()
        except BaseException as error:
            answer = repr(error)
        errors = policy.status()["internal_errors"]
        policy.uninstall()
        restore()
        label = f"{home}.{name}"
        if answer != plain:
            told["worse"].append([MODE, label, str(answer)[:200], str(plain)[:200]])
        if hits:
            told["reached"].append(label)
            if not errors:
                told["silent"].append(label)
        elif owner is None and errors:
            told["worse"].append([MODE, label, errors])
"""


@pytest.fixture(scope="module")
def answer(stage):
    policy = {"packages": ["acme"], "events": [RULE, {**RULE, **SELF}]}
    table = {"faults": {"program": f"POLICY = {policy!r}\n{PROGRAM}", "only": "async"}}
    return stage.play(table, rule=RULE, ws=WS)["faults", "async"]


def test_the_application_is_as_without_a_guard(answer):
    assert answer.error is None
    assert answer.told["worse"] == []


def test_most_of_our_functions_were_reached(answer):
    assert len(set(answer.told["reached"])) > 80


def test_what_failed_while_it_watched_was_reported(answer):
    at_the_end = {
        "EventWatcher.close",
        "EventWatcher.detach",
        "EventWatcher.matched",
        "Replacements.restore",
    }  # the guard has gone by then
    assert {name for name in answer.told["silent"] if not name.startswith("ssot_guard.watch.repl")} <= at_the_end
