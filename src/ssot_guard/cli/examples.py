"""Wrong and right, one pair per code of the :mod:`~ssot_guard.catalogue`: for ``explain`` and the documentation.

Not in the catalogue, because that one is loaded in guarded processes and this is for reading only.
"""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """A snippet that violates, and one that does not."""

    bad: str
    good: str
    language: str = "python"


EXAMPLES = {
    "SSG101": Example(
        "from acme.agents.registry import AgentRegistry",
        "from acme.agents.supervisor.agent_registry import AgentRegistry",
    ),
    "SSG102": Example(
        "from acme.ws import Manager        # an alias of yesterday's class",
        "from acme.ws.manager import UnifiedManager",
    ),
    "SSG103": Example(
        'mock.patch("acme.agents.registry.AgentRegistry.get")',
        'mock.patch("acme.agents.supervisor.agent_registry.AgentRegistry.get")',
    ),
    "SSG104": Example(
        '# acme/agents/registry.py, "for compatibility"\nclass AgentRegistry:\n    _agents = {}        # its own',
        "# acme/agents/registry.py\nfrom acme.agents.supervisor.agent_registry import AgentRegistry",
    ),
    "SSG105": Example(
        "try:\n    from acme.agents.factory import create\nexcept ImportError:\n    create = lambda: StubAgent()",
        "from acme.agents.factory import create",
    ),
    "SSG111": Example(
        "try:\n"
        "    from acme.metrics import emitt       # misspelt: silently no metrics\n"
        "except ImportError:\n"
        "    emitt = print",
        "from acme.metrics import emit",
    ),
    "SSG112": Example(
        "# acme/users.py\nfrom acme.orders import Order\n\n# acme/orders.py\nfrom acme.users import User",
        "# acme/orders.py\n"
        "def owner(order):\n"
        "    from acme.users import User     # when it is needed, both are loaded\n"
        "    return User.get(order.user_id)",
    ),
    "SSG113": Example(
        "python src/acme/worker.py             # acme.worker, once more as __main__",
        "python -m acme.worker",
        "shell",
    ),
    "SSG114": Example(
        "def test_fresh():\n    importlib.reload(acme.config)",
        "def test_fresh(config):               # a fixture that calls acme.config.reset()\n    ...",
    ),
    "SSG115": Example(
        "MODEL = load_model()                  # 3 s for everybody who imports this",
        "@functools.cache\ndef model():\n    return load_model()",
    ),
    "SSG201": Example(
        "# acme/ws/registry.py\nclass SocketAgentRegistry: ...        # the role's home is acme.agents.supervisor",
        "from acme.agents.supervisor.agent_registry import AgentRegistry\n"
        "\n"
        "class SocketAgentRegistry(AgentRegistry): ...",
    ),
    "SSG202": Example(
        "registry = AgentRegistry()            # the application already has one",
        "registry = request.app.state.registry",
    ),
    "SSG203": Example(
        "registry = AgentRegistry(user)        # no limits, no listeners",
        "registry = create_registry(user)",
    ),
    "SSG204": Example(
        "def get():\n"
        "    global _pool\n"
        "    if _pool is None:\n"
        "        _pool = Pool()                # two threads get here\n"
        "    return _pool",
        "def get():\n"
        "    global _pool\n"
        "    with _lock:\n"
        "        if _pool is None:\n"
        "            _pool = Pool()\n"
        "    return _pool",
    ),
    "SSG205": Example(
        "class Redis:                          # the interface says: async def get(self, key)\n"
        "    def get(self, key, default): ...",
        "class Redis:\n    async def get(self, key): ...",
    ),
    "SSG206": Example(
        "class Agent:\n    def __init__(self):\n        self.model = load_model()     # per agent",
        "class Agent:\n    def __init__(self, model):        # immutable, loaded once\n        self.model = model",
    ),
    "SSG207": Example(
        "class BillingAgent(Agent): ...        # nobody can select it",
        "@registry.register\nclass BillingAgent(Agent): ...",
    ),
    "SSG301": Example(
        "_engine = Engine(current_user())      # at import time: the first user's, for everybody",
        "def handle(request):\n    engine = Engine(request.user)\n    ...",
    ),
    "SSG302": Example(
        "class Tools:\n    def __init__(self, cache={}):     # one dict for all users\n        self.cache = cache",
        "class Tools:\n    def __init__(self):\n        self.cache = {}",
    ),
    "SSG303": Example(
        "def answer(task):\n"
        "    return Engine().run(task)         # built and used where no user is known\n"
        "\n"
        "executor.submit(answer, task)         # the thread has no context",
        "executor.submit(contextvars.copy_context().run, answer, task)",
    ),
    "SSG401": Example(
        '# the policy: sequence = "agent_started (agent_completed | agent_failed)", within = 30.0\n'
        'await emit("agent_started")\n'
        "result = await work()                 # raises: no end is ever sent, and after 30 s that is told\n"
        'await emit("agent_completed")',
        'await emit("agent_started")\n'
        "try:\n"
        "    result = await work()\n"
        "except Exception:\n"
        '    await emit("agent_failed")\n'
        "    raise\n"
        'await emit("agent_completed")',
    ),
    "SSG402": Example(
        'await socket.send_json({"event": "agent_completed"})',
        'await emitter.emit("agent_completed", run_id=run.id)',
    ),
    "SSG403": Example(
        'await emitter.emit("agent_completed", user=current_user())   # a background task: somebody else by now',
        'await emitter.emit("agent_completed", user=run.user)',
    ),
    "SSG501": Example(
        'with ssot_guard.journey("golden-path"):\n'
        "    answer = await ask(question)      # 97 % succeed, the target is 99.9 %",
        'with ssot_guard.journey("golden-path"):\n'
        "    answer = await ask(question)      # after the failing step was repaired",
    ),
    "SSG901": Example(
        '[[tool.ssot-guard.imports]]\ndeprecated = "acme.agent.registry"     # there never was an acme.agent',
        '[[tool.ssot-guard.imports]]\ndeprecated = "acme.agents.registry"',
        "toml",
    ),
    "SSG902": Example(
        "ssot-guard audit --locked             # fails: an entry of the baseline is gone from the code",
        "ssot-guard baseline --prune",
        "shell",
    ),
    "SSG903": Example(
        "from acme.agents.supervisor import agent_registry  # ssot: ignore[SSG101] moved in May",
        "from acme.agents.supervisor import agent_registry",
    ),
}
