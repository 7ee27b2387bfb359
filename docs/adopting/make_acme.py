"""Write the code base of this page: ``python make_acme.py [TESTS]``, 400 by default, in the working directory.

Five packages with 20 modules each; every module uses old paths in four places. That makes 400 violations, and one more:
two clocks.
"""

import sys
from pathlib import Path

OWNERS = {"billing": "@money", "search": "@search", "chat": "@chat", "reports": "@money", "agents": "@agents"}
MODULES = 20  # of each package
BROKEN = {("billing", 0): "1 == 2", ("chat", 1): "clock_2() is None"}  # tests that fail anyway

HOMES = {
    "acme/supervisor/registry.py": "class Registry:\n    def names(self):\n        return []\n",
    "acme/registry.py": "from acme.supervisor.registry import Registry  # moved in March\n",
    "acme/time.py": "class Clock:\n    def now(self):\n        return 1\n",
    "acme/clock.py": "class Clock:  # copied in May, and different since\n    def now(self):\n        return 2\n",
    "acme/config.py": "def load_config():\n    return {}\n",
    "acme/settings.py": "from acme.config import load_config\n\nload = load_config\nDEBUG = False\n",
}
MODULE = """\
from acme.registry import Registry

REGISTRY = Registry()


def names_1():
    return REGISTRY.names()


def clock_2():
    from acme.clock import Clock

    return Clock().now()


def settings_3():
    from acme.settings import load

    return load()


def again_4():
    from acme import registry

    return registry.Registry().names()
"""
CALLS = ("names_1", "clock_2", "settings_3", "again_4")


def tests(package: str, number: int, many: int) -> str:
    """Tests of one module: each calls one function."""
    lines = [f"from acme.{package}.part_{number:02} import {', '.join(CALLS)}"]
    for index in range(many):
        call = CALLS[index % len(CALLS)]
        broken = BROKEN.get((package, number), "") if index == number else ""
        check = broken or f"{call}() is not None"
        lines.append(f"\n\ndef test_{call}_{index // len(CALLS)}():\n    assert {check}")
    return "\n".join(lines) + "\n"


def write(path: str, text: str) -> None:
    """One file, and the packages around it."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    if file.parts[0] == "acme":
        for folder in [*file.parents][:-1]:
            (folder / "__init__.py").touch()


def main() -> None:
    """Write it all."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    for path, text in HOMES.items():
        write(path, text)
    for package in OWNERS:
        for number in range(MODULES):
            write(f"acme/{package}/part_{number:02}.py", MODULE)
            text = tests(package, number, many // (len(OWNERS) * MODULES))
            write(f"tests/{package}/test_{package}_{number:02}.py", text)
    write("tests/test_time.py", "from acme.time import Clock\n\n\ndef test_now():\n    assert Clock().now() == 1\n")
    write("pytest.ini", "[pytest]\npythonpath = .\n")
    print(f"{many + 1} tests of {len(OWNERS) * MODULES} modules")


if __name__ == "__main__":
    main()
