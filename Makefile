# Everything that people and CI run here. `make` alone lists it.
#
#   make test PYTHON=python3.13          another interpreter (each version has its own environment)
#   make test ARGS="tests/unit -k names" arguments for the command behind the target

PYTHON  ?= python3
WORKERS ?= 2
ARGS    ?=

VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV    := .venv/$(VERSION)
BIN     := $(VENV)/bin

# An environment works in one place only: the stamps carry the path, so a copied or moved checkout makes its own.
HERE    := $(shell printf '%s' '$(CURDIR)' | cksum | cut -d ' ' -f 1)
CREATED := $(VENV)/.created-$(HERE)
TEST    := $(VENV)/.test-$(HERE)
DEV     := $(VENV)/.dev-$(HERE)
PROJECT := pyproject.toml src/ssot_guard/_version.py

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help test lint lint-style lint-types lint-rooms format docs wheel demo bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

test: $(TEST) ## run the test suite
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

lint: lint-style lint-types lint-rooms ## check style, types and who imports whom

lint-style: $(DEV) ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-types: $(DEV) ## mypy --strict
	$(BIN)/mypy

lint-rooms: $(DEV) ## import-linter: the direction of imports
	PYTHONPATH=src $(BIN)/lint-imports --no-logo

format: $(DEV) ## rewrite what ruff can put right
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(DEV) ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

wheel: $(DEV) ## build wheel and sdist, and try the wheel in clean environments
	$(BIN)/nox --session wheel

demo: .venv/demo-$(VERSION)/.ready-$(HERE) ## see the guard at work in a minute
	@.venv/demo-$(VERSION)/bin/python examples/first_look/demo.py $(ARGS)
	@echo
	@.venv/demo-$(VERSION)/bin/python examples/agent_platform/demo.py $(ARGS)

bench: .venv/bench-$(VERSION)/.ready-$(HERE) ## measure against peers, as ratios
	.venv/bench-$(VERSION)/bin/python benchmarks/run.py $(ARGS)

clean: ## remove everything that these targets made
	rm -rf .venv .nox .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- environments ---------------------------------------------------------------------------------------------------

$(CREATED):
	@.ci/venv $(PYTHON) $(VENV)
	@touch $@

$(TEST): $(PROJECT) | $(CREATED)
	$(BIN)/python -m pip install -qq --editable '.[all]' --group test
	@touch $@

$(DEV): $(TEST)
	$(BIN)/python -m pip install -qq --group dev
	@touch $@

# Demo and benchmarks bring frameworks and peers along, so each has an environment of its own.
EXAMPLES := examples/first_look/requirements.txt examples/agent_platform/requirements.txt
.venv/demo-$(VERSION)/.ready-$(HERE): $(EXAMPLES) $(PROJECT)
	@.ci/venv $(PYTHON) .venv/demo-$(VERSION)
	.venv/demo-$(VERSION)/bin/python -m pip install -qq --editable '.[all]' $(EXAMPLES:%=--requirement %)
	@touch $@

.venv/bench-$(VERSION)/.ready-$(HERE): benchmarks/requirements.txt $(PROJECT)
	@.ci/venv $(PYTHON) .venv/bench-$(VERSION)
	.venv/bench-$(VERSION)/bin/python -m pip install -qq --editable '.[all]' --requirement $<
	@touch $@
