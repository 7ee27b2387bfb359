"""Moved to `helpdesk.supervisor.agent_registry` two years ago: a copy stayed, and has changed since."""


# canonical: from helpdesk.supervisor.agent_registry import AgentRegistry
class AgentRegistry:  # fault: SSG104 registry; SSG201 agent-registry, known
    def __init__(self):
        self._builders = []

    def register(self, name, builder):
        self._builders.append((name, builder))  # the supervisor's refuses a second agent of the same name

    def names(self):
        return [name for name, _ in self._builders]
