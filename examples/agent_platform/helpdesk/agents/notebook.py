"""What an agent remembers of a user, so that it need not look it up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.context import user_id
from helpdesk.ways import chosen

if TYPE_CHECKING:
    from collections.abc import Callable


class Notebook:
    """Belongs to one user."""

    def __init__(self, answers: dict[str, str]) -> None:
        self._answers = answers

    def recall(self, question: str, look_up: Callable[[], str]) -> str:
        if question not in self._answers:
            self._answers[question] = look_up()
        return self._answers[question]


_answers: dict[str, str] = {}  # by question: the first user's answers are everybody's
_notebooks: dict[str | None, Notebook] = {}


def _with_common_answers() -> Notebook:
    # canonical: Notebook({})
    return Notebook(_answers)  # fault: SSG302 notebook


def _with_answers_of_its_own() -> Notebook:
    return Notebook({})


_opened = chosen(grown=_with_common_answers, canonical=_with_answers_of_its_own)


def forget() -> None:
    """Begin without notebooks."""
    _notebooks.clear()


def mine() -> Notebook:
    """The notebook of the user whose request this is."""
    owner = user_id()
    if owner not in _notebooks:
        _notebooks[owner] = _opened()
    return _notebooks[owner]
