# Needs Python >= 3.11 and make; everything else is installed into .venv on first use.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.installed
CONTEXT ?=
# Packages without I/O: their branches are covered by unit tests, and `make test` fails below 95 %.
PURE    = src/kubectl_ray/models/*,src/kubectl_ray/manifests/*,src/kubectl_ray/views/*,src/kubectl_ray/diagnose/*,src/kubectl_ray/ray/*

.PHONY: help venv check format test coverage docs bench demo install cluster-up cluster-down cluster-status test-real test-real-full clean

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

venv: $(STAMP)   ## the virtual environment with the plugin and its development tools
$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

check: $(STAMP)  ## format, lint, types, layers, contract tests
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/contract -m 'not slow'

format: $(STAMP) ## rewrite the sources as the formatter wants them
	$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

test: $(STAMP)   ## unit and contract tests: needs Python and pip only
	$(BIN)/coverage run -m pytest -q tests/unit tests/contract
	$(BIN)/coverage report --include='$(PURE)' --fail-under=95

docs: $(STAMP)   ## rewrite docs/reference from the grammar
	$(BIN)/python docs/generate.py

RUNS ?= 30
PLUGIN ?=
bench: $(STAMP)  ## compare with kubectl on a real cluster: RUNS=n, CONTEXT=name, PLUGIN=path of one more plugin
	$(BIN)/python -m bench --runs '$(RUNS)' --context '$(CONTEXT)' $(if $(PLUGIN),--plugin '$(PLUGIN)')

NAMESPACE ?=
demo: $(STAMP)   ## a Ray cluster's life on your own Kubernetes: CONTEXT=name, NAMESPACE=name
	@$(BIN)/python -m demo --context '$(CONTEXT)' --namespace '$(NAMESPACE)'
