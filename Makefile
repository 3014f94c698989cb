# Needs only Python 3.11 or later, git and make; everything else is set up in .venv/ and .hosts/.
PYTHON ?= python3
BIN := .venv/bin
RUN := .venv/installed
DEV := .venv/installed-dev
# Tests start hundreds of programs: each would compile all of kitty-run anew where this is set.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast test-all lint format bench check-agents check-hosts clean

demo: $(RUN)  ## a small real mission on a real spec-kitty host, by scripted agents
	$(BIN)/kitty-run demo --hosts .hosts $(DEMO)

test: lint  ## what CI runs; installs real hosts into .hosts/
	$(BIN)/pytest -q -n 2 -m "not slow" --cov --cov-report=term

test-fast: $(DEV)  ## within a minute: no real host, no whole missions, nothing that starts many processes
	$(BIN)/pytest -q -n 2 -m "not real_host and not whole and not slow and not heavy"

test-all: lint  ## the slow ones too: what `test` proves on one host on all, and all examples of properties
	TEST_ALL_EXAMPLES=1 $(BIN)/pytest -q -n 2 --cov --cov-report=term

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/vulture

format: $(DEV)
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

bench: $(DEV)  ## measures, and writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

check-agents: $(DEV)  ## the presets against the agents' real command lines, from their package registries
	$(BIN)/python -m tests.real_agents $(AGENTS)

check-hosts: $(DEV)  ## every host from PyPI, as `doctor` and a mission find it; writes docs/hosts.md
	$(BIN)/python -m tests.host_matrix $(HOSTS)

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name another: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN): pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV): pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(RUN)
