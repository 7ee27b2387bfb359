"""Watching imports without replacing a loader, wrapping ``__import__`` or tracing.

========================  ===============================================================
:mod:`.bytecode`          which statement stands at an instruction
:mod:`.importer`          which frame imports, and under which spelling
:mod:`.judge`             what the policy says about one statement
:mod:`.spec`              the tripwire: CPython itself reports loads and cached imports
:mod:`.finder`            puts the tripwire into the specs of governed modules
:mod:`.names`             watched names of a module (``from mod import Old``, ``mod.Old``)
:mod:`.health`            failed imports, cycles, double imports, re-executions, budgets
:mod:`.watcher`           ties them together: attach, detach, check
========================  ===============================================================
"""
