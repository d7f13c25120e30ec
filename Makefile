# Kerbsafe: `make demo` tries it, `make test` proves it. Both set everything up by themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.kerbsafe-synced

.PHONY: setup demo test test-long lint format clean

setup: $(STAMP)   ## make .venv/bin/kerbsafe with every group, from the lock file

# uv lives in a venv of its own, so that `uv sync` cannot remove it from the project's.
$(VENV)-uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kerbsafe needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)-uv
	$(VENV)-uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.7'

$(STAMP): pyproject.toml uv.lock | $(VENV)-uv/bin/uv
	$(VENV)-uv/bin/uv sync --frozen --quiet --all-groups --all-extras --python $(PYTHON)
	@touch $@

demo: setup       ## run the whole way on embedded parts: a small city, trucks, alerts
	$(BIN)/kerbsafe demo $(ARGS)

lint: setup       ## ruff, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

test: lint        ## everything that must hold on every commit, on real parts
	HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(BIN)/pytest -m "not long" $(ARGS)

test-long: setup  ## the rest: every drive, many kills, long soaks
	HYPOTHESIS_PROFILE=long $(BIN)/pytest -m long --timeout 3600 $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-uv .mypy_cache .ruff_cache .pytest_cache .hypothesis
