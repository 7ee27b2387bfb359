"""Moved to `helpdesk.supervisor.engine`. The name stayed; what it stands for did not."""

# canonical: from helpdesk.supervisor.engine import ExecutionEngine
from helpdesk.supervisor.engine import SequentialEngine as ExecutionEngine  # fault: SSG104 engine, known

__all__ = ["ExecutionEngine"]
