"""This project's sessions run under its own plugin, with a policy of its own."""

from pathlib import Path

import ssot_guard.guard

POLICY = Path(__file__).parents[3] / "pyproject.toml"


def test_this_session_is_guarded():
    assert ssot_guard.active()
    assert ssot_guard.guard.status()["policy"] == str(POLICY)


def test_a_planted_violation_fails_it(projects):
    project = projects(
        {
            "test_planted.py": """
                from ssot_guard.guard import ready

                def test_planted():
                    from ssot_guard.guard import install

                def test_innocent():
                    from ssot_guard import install
                """
        }
    )
    session = project.run(f"--ssot-policy={POLICY}", "test_planted.py")  # with `=`: else pytest takes it for a root
    assert session.status == 1
    assert {one.rpartition("/")[2] for one in session.failed} == {"test_planted.py", "test_planted.py::test_planted"}
    assert "write    from ssot_guard import ready" in session.text


def test_a_guard_may_govern_itself(projects):
    """What it imports to begin does not begin it again."""
    policy = 'packages = ["ssot_guard"]\n'
    test = """
        import ssot_guard

        def test_it():
            assert ssot_guard.active()
            assert ssot_guard.guard.status()["broken"] is None
        """
    session = projects({"ssot-guard.toml": policy, "tests/test_it.py": test}).run("--ssot", "strict", "tests")
    assert (session.status, session.sites) == (0, []), session
