# Every command of a developer's day; `make` alone lists them.

PYTHON ?= python3
# Version of the npm package @bufbuild/buf, which carries the linter's binary.
BUF_VERSION := 1.75.0

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXTRAS := $(VENV)/.extras
PEERS := $(VENV)/peers/.ready
PINS := requirements/uv.txt requirements/build.txt requirements/dev.txt
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --no-emit-package shelfmate-client \
	$(if $(UPGRADE),--upgrade)

# uv does not read pip's settings: where pip is told of another index, uv is told of it for the one
# command, by environment, so that no file ever holds an address.
WITH_INDEX = index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi;
# Exactly what is pinned and nothing else; uv itself stays, being pinned too.
SYNC = $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes \
	--build-constraints requirements/build.txt requirements/uv.txt
INSTALL_OURS = $(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps \
	-e proto -e .

.DEFAULT_GOAL := help
.PHONY: help demo test test-extras test-faults node-example check lint-proto proto bench-smoke peers docs requirements clean

# The stamp holds the folder it was made in: scripts of an environment do not survive a move.
ifneq ($(shell test -x $(BIN)/python && cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## real baskets to gRPC answers, in one command
	$(BIN)/shelfmate demo

test: $(READY) ## run the tests that need no optional package
	$(BIN)/pytest -m "not extras and not faults"

test-faults: $(READY) ## kill workers, damage snapshots, fill disks, all while calls are made
	$(BIN)/pytest -m faults tests/faults

test-extras: ## install the optional packages and run the tests that need them
	@if grep -rqs --include='*.py' 'mark\.extras' tests; then \
		$(MAKE) --no-print-directory $(EXTRAS) node-example && $(BIN)/pytest -m extras; \
	else echo "test-extras: no test is marked extras yet; nothing to run"; fi

node-example: # part of test-extras; needs npm
	@if ! command -v npm >/dev/null; then \
		echo "examples/node: left out, npm is not installed"; \
	elif [ examples/node/node_modules/.package-lock.json -nt examples/node/package-lock.json ]; then :; \
	elif ! (cd examples/node && npm ci --silent --no-audit --no-fund --ignore-scripts); then \
		echo "examples/node: left out, npm cannot get its packages"; fi

check: $(READY) lint-proto ## lint, format, types, imports, stubs, wire contract, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/house tests/docs

lint-proto: # part of check; needs node
	@if ! command -v npx >/dev/null; then \
		echo "buf lint: skipped, npx is not installed"; \
	elif ! npx --yes @bufbuild/buf@$(BUF_VERSION) --version >/dev/null 2>&1; then \
		echo "buf lint: skipped, npx cannot get @bufbuild/buf $(BUF_VERSION)"; \
	else echo "buf lint proto"; cd proto && npx --yes @bufbuild/buf@$(BUF_VERSION) lint; fi

proto: $(READY) ## regenerate the stubs of the wire contract
	$(BIN)/python proto/generate.py

bench-smoke: $(READY) ## the shortest run of the benchmarks
	$(BIN)/bench run --smoke

peers: $(PEERS) ## an environment with what `bench compare` holds us against

docs: $(READY) ## regenerate the generated parts of docs/
	$(BIN)/python docs/make_cli_reference.py

requirements: $(READY) ## pin anew after a change of pyproject.toml; UPGRADE=1 takes newer versions
	@$(WITH_INDEX) set -ex; \
	$(COMPILE) requirements/uv.in -o requirements/uv.txt; \
	$(COMPILE) requirements/build.in -o requirements/build.txt; \
	$(COMPILE) pyproject.toml -o requirements/server.txt; \
	$(COMPILE) pyproject.toml --extra dev -o requirements/dev.txt; \
	$(COMPILE) pyproject.toml --extra dev --extra extras -o requirements/extras.txt; \
	$(COMPILE) pyproject.toml --extra peers -o requirements/peers.txt

clean: ## delete caches and build results; .venv and work/ stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): $(PINS) pyproject.toml proto/pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "cannot build $(VENV): there is no $(PYTHON); name one: make PYTHON=python3.11 ..." >&2; exit 1; }
	@"$(PYTHON)" requirements/check_machine.py
	@if [ -e $(READY) ] && [ "$$(cat $(READY))" != "$(CURDIR)" ]; then rm -rf $(VENV); fi
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(WITH_INDEX) set -ex; $(SYNC) requirements/dev.txt; $(INSTALL_OURS)
	@rm -f $(EXTRAS)
	@echo "$(CURDIR)" > $(READY)

$(EXTRAS): $(READY) requirements/extras.txt
	@$(WITH_INDEX) set -ex; $(SYNC) requirements/extras.txt; $(INSTALL_OURS)
	@touch $(EXTRAS)

# Apart from ours, whose releases need not suit the peers.
$(PEERS): $(READY) requirements/peers.txt
	@"$(PYTHON)" -m venv --clear $(VENV)/peers
	@$(WITH_INDEX) set -ex; $(BIN)/uv pip sync --quiet --python $(VENV)/peers/bin/python \
		--require-hashes --build-constraints requirements/build.txt requirements/peers.txt
	@touch $(PEERS)
