# The hub's commands; `make help` lists them. Needs make and Python 3.11+ (with venv and pip), nothing else.

SHELL := /bin/sh
# The newest Python that is new enough; PYTHON=/path/to/python chooses another.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$name; break; fi; done)
VENV := .venv/bin
# Command-line tools read their settings from the environment that a production hub would have; here they look at code only.
CODE := HUB_ENV=test

.DEFAULT_GOAL := help
.PHONY: help run test check messages bench soak setup setup-dev reset

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done
	@printf '\n  PORT=8123 make run chooses the port; HUB_STATE_DIR the state folder (.hub). More in docs/running.md.\n'

run: setup ## Start the hub with everything it needs; Ctrl-C stops it
	@exec $(VENV)/python -m hub.runtime run --with-parent

setup: ## Make .venv and install what running needs
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer was not found; install it or name it with PYTHON=..." >&2; exit 1; fi
	@$(PYTHON) -m hub.runtime.install runtime

setup-dev: # what tests and checks need
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer was not found; install it or name it with PYTHON=..." >&2; exit 1; fi
	@$(PYTHON) -m hub.runtime.install dev

test: setup-dev ## Run all tests, with embedded servers of their own (TESTS=path chooses some)
	@$(VENV)/python -m hub.runtime test-env --throwaway -- $(VENV)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(or $(TESTS),tests)

check: setup-dev ## Lint, types, import rules, migrations, templates
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(CODE) $(VENV)/mypy .
	$(CODE) $(VENV)/lint-imports
	$(CODE) $(VENV)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(VENV)/djlint --lint --quiet templates

messages: setup-dev ## Collect the strings of the sources into locale/ (needs GNU gettext; docs/languages.md)
	$(CODE) $(VENV)/python -W ignore::RuntimeWarning manage.py makemessages

bench: setup-dev ## Measure; prints a table and writes bench/results.json
	@$(VENV)/python -m hub.runtime test-env -- $(VENV)/python -m bench

soak: setup-dev ## Kill everything at random under load, then prove that nothing was lost (SOAK_KILLS=... SOAK_SEED=... SOAK_STEPS=...)
	@$(VENV)/python -m tests.soak
	@$(VENV)/python -m tests.soak.ledger_kills
	@HUB_SOAK_STEPS=$(or $(SOAK_STEPS),100000) $(VENV)/python -m hub.runtime test-env -- \
		$(VENV)/python -m pytest -q --timeout 0 tests/unit/wallets/test_property.py

reset: ## Stop the hub and delete its state: all data is gone
	@$(PYTHON) -m hub.runtime reset
