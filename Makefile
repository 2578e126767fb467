# What people and CI run. `make` lists it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
IN_VENV := $(BIN)/python
PACKAGES := app schema resolvers models settings
SOURCES := $(PACKAGES) tests
# A file stays in one process: its tests share what is dear to make. In the order of the files: those of app/, of which
# some take long, come first, and none of them is left to one process when the others are done.
ON_ALL_CORES := --numprocesses=auto --dist=loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test check fmt schema migration bench bench-peers bench-growth lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## set everything up and serve with a demo fleet at http://127.0.0.1:8000/graphql
	@APP_ENV=$${APP_ENV:-development} exec $(BIN)/iotsphere serve --demo

test: $(VENV)/.development ## run the tests, on SQLite and on a PostgreSQL of their own
	@$(IN_VENV) -m pytest -q $(ON_ALL_CORES)

check: $(VENV)/.development ## all that CI checks: format, lint, types, imports, schema, migrations, tests
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/pyright
	$(BIN)/lint-imports
	APP_ENV=testing $(BIN)/iotsphere export-schema --check schema/schema.graphql
	$(IN_VENV) -m pytest -q $(ON_ALL_CORES) --cov --cov-report=term:skip-covered

fmt: $(VENV)/.development ## format the code and mend what the linter can mend
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

schema: $(VENV)/.runtime ## write schema/schema.graphql anew from the code
	APP_ENV=testing $(BIN)/iotsphere export-schema schema/schema.graphql

migration: $(VENV)/.runtime ## write a migration: make migration m="add a colour to devices"
	@test -n "$(m)" || { echo 'Say what changes: make migration m="add a colour to devices"' >&2; exit 2; }
	$(BIN)/iotsphere migration "$(m)"

bench: $(VENV)/.development ## measure the speed on a PostgreSQL of its own
	$(IN_VENV) tests/benchmarks/bench.py

bench-peers: $(VENV)/.development ## measure the speed beside other servers: make bench-peers BENCH=path of a lab
	@test -n "$(BENCH)" || { echo 'Name the folder of the lab: make bench-peers BENCH=path (docs/benchmarks-peers.md)' >&2; exit 2; }
	$(IN_VENV) tests/benchmarks/peers/run.py "$(BENCH)" $(ARGS)

bench-growth: $(VENV)/.development ## measure how cost grows with readings, lists, subscribers, time and processes
	$(IN_VENV) tests/benchmarks/growth/growing.py

lock: $(VENV)/.lock ## pin the newest versions that pyproject.toml allows
	printf 'hatchling\neditables\n' > $(VENV)/build.in
	$(VENV)/lock/bin/uv pip compile $(COMPILE) --output-file requirements.lock pyproject.toml $(VENV)/build.in
	$(VENV)/lock/bin/uv pip compile $(COMPILE) --output-file requirements-dev.lock --group dev pyproject.toml $(VENV)/build.in

clean: ## remove the virtual environment, caches and the demo database
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .coverage var
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# The same versions on every system and for every Python that is supported, and no address of an index.
COMPILE := --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate

INSTALL := $(IN_VENV) -m pip install --quiet --disable-pip-version-check
# The project itself, from where it stands: its build needs nothing that is not installed by then.
INSTALL_PROJECT := $(INSTALL) --no-deps --no-build-isolation --editable .

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "IoTSphere needs Python 3.11 or newer, and $(PYTHON) is none; name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making the virtual environment $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing what the server needs …"
	@$(INSTALL) --requirement requirements.lock
	@$(INSTALL_PROJECT)
	@touch $@

$(VENV)/.development: requirements-dev.lock pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing what development needs …"
	@$(INSTALL) --requirement requirements-dev.lock
	@$(INSTALL_PROJECT)
	@touch $@ $(VENV)/.runtime

$(VENV)/.lock: | $(VENV)/pyvenv.cfg
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@
