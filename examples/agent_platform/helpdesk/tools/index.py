"""Which articles hold which word. There is to be one index for the process."""

from __future__ import annotations

import asyncio
import time

from helpdesk.ways import chosen

_ARTICLES = ("a shim is no home", "one tenant, one notebook", "behind a shim lives another module")


# canonical: SearchIndex(await asyncio.to_thread(_read))
class SearchIndex:  # fault: SSG206 search-index
    def __init__(self, words: dict[str, int] | None = None) -> None:
        self._words = _read() if words is None else words

    def find(self, word: str) -> str:
        return f"{self._words.get(word, 0)} articles hold {word!r}"


def _read() -> dict[str, int]:
    time.sleep(0.4)  # what reading many articles would take
    words = [word for article in _ARTICLES for word in set(article.replace(",", "").split())]
    return {word: words.count(word) for word in words}


_index: SearchIndex | None = None
_lock = asyncio.Lock()


def _built() -> SearchIndex:
    # canonical: async with _lock: _index = _index or SearchIndex(words)
    return SearchIndex()  # fault: SSG202 search-index; SSG204 search-index


async def _whoever_needs_it() -> SearchIndex:
    """Whoever comes before it is there builds another one."""
    global _index  # noqa: PLW0603
    if _index is None:
        _index = await asyncio.to_thread(_built)
    return _index


async def _one_for_all() -> SearchIndex:
    """One builds it, everybody else waits."""
    global _index  # noqa: PLW0603
    async with _lock:
        if _index is None:
            _index = SearchIndex(await asyncio.to_thread(_read))
    return _index


shared = chosen(grown=_whoever_needs_it, canonical=_one_for_all)
