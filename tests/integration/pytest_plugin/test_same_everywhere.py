"""The same violations, failures and exit status for any number of workers, any order and any way to import."""

import functools

import pytest

TESTS = {
    f"tests/test_{name}.py": """
        import pytest
        from acme import lazy

        @pytest.fixture(scope="session")
        def wide():
            import acme.old as wide

        @pytest.mark.parametrize("number", range(3))
        def test_uses(number):
            lazy.use()

        def test_wide(wide):
            pass

        def test_first_to_load():
            import acme.late

        def test_also_first_to_load():
            import acme.late

        def test_clean():
            pass

        @pytest.mark.xfail
        def test_xfails():
            lazy.use()
            assert lazy is None

        class TestClass:
            def test_own_line(self):
                import acme.old

            def test_clean(self):
                pass
        """
    for name in "abc"
}
TESTS["src/acme/late.py"] = "import acme.old\n"
TESTS["tests/conftest.py"] = "import acme.old\n"

XDIST = ["-p", "xdist"]
SHUFFLED = ["-p", "shuffle"]
RUNS = {
    "no xdist": [],
    "-n0": [*XDIST, "-n0"],
    "-n1": [*XDIST, "-n1"],
    "-n4": [*XDIST, "-n4"],
    "loadscope": [*XDIST, "-n2", "--dist", "loadscope"],
    **{f"order {seed}": [*SHUFFLED, f"--shuffle={seed}"] for seed in range(1, 6)},
    "order and -n2": [*XDIST, *SHUFFLED, "--shuffle=6", "-n2"],
    **{mode: [f"--import-mode={mode}"] for mode in ("prepend", "append", "importlib")},
}


@pytest.fixture(scope="module")
def runs(projects):
    project = projects(TESTS)
    return functools.cache(lambda mode, name: project.run("--ssot", mode, *RUNS[name], "tests"))


@pytest.mark.parametrize("name", RUNS)
def test_warn(runs, name):
    one, other = runs("warn", "no xdist"), runs("warn", name)
    assert other.status == 1, other
    assert other.fingerprints == one.fingerprints
    assert other.failed == one.failed
    assert (
        len(other.failed) == 3 * (3 + 1 + 1) + 5
    )  # each file's own tests; conftest, late, the files of the wide fixtures


@pytest.mark.parametrize("seed", range(1, 6))
def test_randomly(runs, seed):
    RUNS.setdefault(f"seed {seed}", ["-p", "pytest_randomly", f"--randomly-seed={seed}"])
    one, other = runs("warn", "no xdist"), runs("warn", f"seed {seed}")
    assert (other.fingerprints, other.failed) == (one.fingerprints, one.failed)


@pytest.mark.parametrize("name", ["loadscope", "-n4", "order 1"])
def test_strict(runs, name):
    """Which tests a raised verdict breaks may differ (a module's body is interrupted); what is found may not."""
    one, other = runs("strict", "no xdist"), runs("strict", name)
    assert (one.status, other.status) == (1, 1)
    assert other.fingerprints == one.fingerprints == runs("warn", "no xdist").fingerprints


def test_observe(runs):
    one, other = runs("observe", "no xdist"), runs("observe", "-n4")
    assert (one.status, other.status) == (0, 0)
    assert other.fingerprints == one.fingerprints == runs("warn", "no xdist").fingerprints


@pytest.mark.parametrize("name", ["no xdist", "-n4"])
def test_the_summary_names_the_same_violations(runs, name):
    summary = runs("warn", name).summary
    assert summary[0] == "9 new violations, 0 known, 0 fixed"
    assert "failures: 0 of the suite's own, 20 only by ssot-guard (5 files), 0 both" in summary
