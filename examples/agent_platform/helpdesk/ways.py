"""Some things are done in two ways: as they have grown, and the canonical way. Both are here, side by side.

``HELPDESK_WAYS=canonical`` switches all of them; it is how the demo measures before and after.
"""

from __future__ import annotations

import os
from typing import TypeVar

_Way = TypeVar("_Way")


def chosen(*, grown: _Way, canonical: _Way) -> _Way:
    return canonical if os.environ.get("HELPDESK_WAYS") == "canonical" else grown
