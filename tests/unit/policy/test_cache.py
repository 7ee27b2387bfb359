import json
import marshal
import os
import stat
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from ssot_guard.policy import cache, parse
from ssot_guard.policy.load import from_environment, load

FIXTURE = Path(__file__).parents[2] / "fixtures" / "product.toml"
POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has neither owners nor write bits")
SOURCE = str(Path(cache.__file__).parents[2])


@pytest.fixture
def policy(tmp_path: Path) -> Any:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(FIXTURE.read_bytes())
    return file


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The files that were really parsed."""
    seen: list[str] = []
    real = parse.parse

    def counting(content: bytes, file: str) -> dict[str, Any]:
        seen.append(file)
        return real(content, file)

    monkeypatch.setattr(parse, "parse", counting)
    return seen


def cached(policy: Path, environ: Any = None) -> Any:
    return Path(str(cache.location(str(policy), {} if environ is None else environ)))


def test_the_second_load_parses_nothing_and_is_equal(policy: Path, parsed: list[str]) -> None:
    first, second = load(policy, environ={}), load(policy, environ={})
    assert len(parsed) == 1
    assert [repr(rule) for rule in first.rules()] == [repr(rule) for rule in second.rules()]
    assert vars(first).keys() == vars(second).keys()
    assert repr(first.profiles) == repr(second.profiles)


def test_the_cache_lies_hidden_beside_the_policy_one_per_policy_and_interpreter(policy: Path) -> None:
    load(policy, environ={})
    names = sorted(path.name for path in policy.parent.iterdir())
    assert names == [f".pyproject.toml.{sys.implementation.cache_tag}.ssot-cache", "pyproject.toml"]


def test_a_folder_for_caches_is_made_and_used(policy: Path, tmp_path: Path, parsed: list[str]) -> None:
    environ = {"SSOT_GUARD_CACHE": str(tmp_path / "caches")}
    load(policy, environ=environ)
    load(policy, environ=environ)
    assert len(parsed) == 1
    assert not cached(policy).exists()
    assert cached(policy, environ).parent == tmp_path / "caches"


def test_policies_of_one_name_do_not_share_a_cache_file(tmp_path: Path) -> None:
    environ = {"SSOT_GUARD_CACHE": str(tmp_path)}
    assert cache.location("/a/pyproject.toml", environ) != cache.location("/b/pyproject.toml", environ)


def test_an_empty_variable_means_no_cache(policy: Path, parsed: list[str]) -> None:
    for _ in range(2):
        load(policy, environ={"SSOT_GUARD_CACHE": ""})
    assert len(parsed) == 2
    assert [path.name for path in policy.parent.iterdir()] == ["pyproject.toml"]


def test_no_cache_on_request(policy: Path, parsed: list[str]) -> None:
    load(policy, environ={})
    load(policy, environ={}, cache=False)
    assert len(parsed) == 2


def test_a_changed_policy_is_parsed_again(policy: Path, parsed: list[str]) -> None:
    load(policy, environ={})
    policy.write_bytes(policy.read_bytes() + b"\n")
    load(policy, environ={})
    load(policy, environ={})
    assert len(parsed) == 2


def test_labels_are_expanded_after_the_cache(policy: Path) -> None:
    assert load(policy, environ={"GIT_SHA": "one"}).labels == {"release": "one"}
    assert load(policy, environ={"GIT_SHA": "two"}).labels == {"release": "two"}


def test_a_broken_policy_is_never_cached(policy: Path) -> None:
    policy.write_text("mode = 1", "utf-8")
    with pytest.raises(ValueError, match="has no"):
        load(policy, environ={})
    assert not cached(policy).exists()


def flipped(content: bytes) -> Any:
    return content[:-1] + bytes([content[-1] ^ 1])


def resealed(body: bytes) -> Any:
    return cache.MAGIC + blake2b(body, digest_size=cache.CHECKSUM).digest() + body


DAMAGES = [
    ("empty", lambda _: b""),
    ("cut in the middle", lambda content: content[: len(content) // 2]),
    ("cut after the checksum", lambda content: content[: len(cache.MAGIC) + cache.CHECKSUM]),
    ("with one bit changed", flipped),
    ("with another beginning", lambda content: b"x" + content[1:]),
    ("with something behind", lambda content: content + b"x"),
    ("no marshal data behind a good checksum", lambda _: resealed(b"\xff\xff")),
    ("cut marshal data behind a good checksum", lambda content: resealed(content[len(cache.MAGIC) + 16 : -9])),
    ("other data behind a good checksum", lambda _: resealed(marshal.dumps(3))),
    ("of another format", lambda _: resealed(marshal.dumps(((0, sys.version, "x"), {})))),
    ("that holds a list", lambda _: resealed(marshal.dumps((("x",), [])))),
]


@pytest.mark.parametrize(("description", "damage"), DAMAGES, ids=[damage[0] for damage in DAMAGES])
def test_a_cache_is_not_trusted_when_it_is(description: str, damage: Any, policy: Path, parsed: list[str]) -> None:
    load(policy, environ={})
    file = cached(policy)
    good = file.read_bytes()
    file.write_bytes(damage(good))
    assert load(policy, environ={}).packages == ["acme", "!acme.tests"]
    assert len(parsed) == 2
    assert file.read_bytes() == good


IDENTITIES = [("format", "FORMAT", cache.FORMAT + 1), ("interpreter", "sys", type("Sys", (), {"version": "3.10"}))]


@pytest.mark.parametrize(("description", "name", "value"), IDENTITIES)
def test_a_cache_of_another_identity_is_stale(
    description: str, name: str, value: Any, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(policy, environ={})
    file, digest = cached(policy), cache.digest(policy.read_bytes())
    assert cache.read(str(file), digest)
    monkeypatch.setattr(cache, name, value)
    assert cache.read(str(file), digest) is None


@POSIX
@pytest.mark.parametrize(("policys", "caches"), [(0o600, 0o600), (0o640, 0o640), (0o644, 0o644), (0o666, 0o644)])
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_whoever_may_read_the_policy_may_read_its_cache(policy: Path, policys: int, caches: int, umask: int) -> None:
    policy.chmod(policys)
    before = os.umask(umask)
    try:
        load(policy, environ={})
    finally:
        os.umask(before)
    assert stat.S_IMODE(cached(policy).stat().st_mode) == caches


@POSIX
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_what_others_may_write_is_not_trusted(mode: int, policy: Path, parsed: list[str]) -> None:
    load(policy, environ={})
    cached(policy).chmod(mode)
    load(policy, environ={})
    assert len(parsed) == 2


@POSIX
@pytest.mark.parametrize(("uid", "trusted"), [(None, True), (0, True), (12345, False)])
def test_only_our_own_files_and_roots_are_trusted(
    uid: int | None, *, trusted: bool, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(policy, environ={})
    real = os.fstat

    def as_owner(descriptor: Any) -> Any:
        status = list(real(descriptor))
        status[4] = status[4] if uid is None else uid
        return os.stat_result(status)

    monkeypatch.setattr(os, "fstat", as_owner)
    found = cache.read(str(cached(policy)), cache.digest(policy.read_bytes()))
    assert (found is not None) is trusted


@POSIX
def test_a_link_is_not_followed(policy: Path, tmp_path: Path) -> None:
    load(policy, environ={})
    file = cached(policy)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert cache.read(str(file), cache.digest(policy.read_bytes())) is None


@POSIX
def test_a_named_pipe_in_its_place_does_not_hang(policy: Path) -> None:
    os.mkfifo(cached(policy))
    assert cache.read(str(cached(policy)), "x") is None


def test_where_nothing_can_be_written_nothing_is_said(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    assert cache.write(str(cached(policy)), str(policy), "x", {}) is False


def test_a_failed_exchange_leaves_nothing_behind(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "replace", refuse)
    load(policy, environ={})
    assert [path.name for path in policy.parent.iterdir()] == ["pyproject.toml"]


# A change of the data's shape must raise FORMAT: else an upgraded guard reads what the old one wrote.
SHAPES = {2: "381391e79f551c1f"}


def test_the_format_number_stands_for_the_shape() -> None:
    data = parse.parse(FIXTURE.read_bytes(), "pyproject.toml")
    shape = json.dumps(data, sort_keys=True).encode()
    assert SHAPES[cache.FORMAT] == blake2b(shape, digest_size=8).hexdigest()


WARM = """
import os
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from ssot_guard.policy.load import from_environment
import ssot_guard.policy.modes
assert from_environment().packages == ["acme", "!acme.tests"]
print(*sorted(set(sys.modules) - before))
"""
OURS = {
    f"ssot_guard{name}"
    for name in ("", ".names", ".policy", *(f".policy.{x}" for x in ("cache", "load", "model", "modes")))
}


def test_a_warm_start_imports_only_what_it_needs(policy: Path) -> None:
    environ = {**os.environ, "SSOT_GUARD_POLICY": str(policy)}
    assert from_environment(environ)
    # -S: what a virtual environment's .pth files import must not hide anything.
    command = [sys.executable, "-S", "-E", "-c", WARM, SOURCE]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    # `_version`: the face of the package may know its version.
    assert set(done.stdout.split()) - {"ssot_guard._version"} <= OURS | {"__future__", "_blake2"}
