# make demo    the dashboard on the embedded cluster
# make test    the tests, four at a time: a third of it is waiting
# make soak    a thousand schedules of faults, and all else tried thoroughly: for a night
# make lint    types, style, import rules
# make bench   what is measured, as tables
# make lock    pin the dependencies anew (needs uv)
# Each sets itself up in .venv the first time, with uv where it is installed and pip where not.

.PHONY: demo test soak install lint bench lock snapshots clean
.DEFAULT_GOAL := demo

VENV := .venv
BIN := $(VENV)/bin
SETUP := sh .ci/setup $(VENV)

demo: $(VENV)/.run
	@$(BIN)/python -m tui --demo $(ARGS)

test: $(VENV)/.dev
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 4 --dist worksteal $(ARGS)

soak: $(VENV)/.dev
	@KSCALE_SOAK=$${KSCALE_SOAK:-1000} $(BIN)/python -m pytest -n 2 $(ARGS)

# Put the kscale-tui command into .venv/bin.
install: $(VENV)/.dev
	@echo "$(BIN)/kscale-tui is ready; $(BIN)/kscale-tui --help tells what it can do."

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(ARGS)

# Draw the snapshots anew. Look at the pictures before committing them.
snapshots: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 2 tests/snapshots --snapshot-update $(ARGS)

lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --upgrade --quiet -o requirements.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --upgrade --quiet -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.run: requirements.txt .ci/setup
	@$(SETUP) run

$(VENV)/.dev: requirements-dev.txt pyproject.toml .ci/setup
	@$(SETUP) dev
