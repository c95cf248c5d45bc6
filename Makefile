# Needs Python >= 3.11 and make; everything else is installed into .venv on first use.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.installed
CONTEXT ?=
# Packages without I/O: their branches are covered by unit tests, and `make test` fails below 95 %.
PURE    = src/kubectl_ray/models/*,src/kubectl_ray/manifests/*,src/kubectl_ray/views/*,src/kubectl_ray/diagnose/*,src/kubectl_ray/ray/*

.PHONY: help venv check format test test-unit docs bench bench-session bench-sandbox demo cluster-up cluster-down cluster-status
.PHONY: test-e2e test-sandbox test-real test-real-full

help:            ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

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

test: test-unit test-sandbox ## all that needs Python and pip only: unit, contract, end to end in a sandbox

test-unit: $(STAMP) ## unit and contract tests
	$(BIN)/coverage run -m pytest -q tests/unit tests/contract
	$(BIN)/coverage report --include='$(PURE)' --fail-under=95

docs: $(STAMP)   ## rewrite docs/reference from the grammar
	$(BIN)/python docs/generate.py

RUNS ?= 30
CLUSTERS ?= 3000
PLUGIN ?=
SESSION ?=
bench: $(STAMP)  ## compare with kubectl on a real cluster: RUNS=n, CLUSTERS=n, SESSION=0, CONTEXT=name, PLUGIN=path of one more
	$(BIN)/python -m bench --runs '$(RUNS)' --clusters '$(CLUSTERS)' --context '$(CONTEXT)' $(if $(PLUGIN),--plugin '$(PLUGIN)') \
	  $(if $(filter 0,$(SESSION)),--no-session)

bench-session: $(STAMP) ## only its part about sessions, beside kubectl port-forward: RUNS=n, CONTEXT=name
	$(BIN)/python -m bench.session --runs '$(RUNS)' --context '$(CONTEXT)'

bench-sandbox: $(STAMP) ## what the sandbox costs, beside Ray started by hand in the same run
	@$(BIN)/python -m bench.sandbox

NAMESPACE ?=
demo: $(STAMP)   ## a Ray cluster's life in a sandbox; on your own Kubernetes: CONTEXT=name, NAMESPACE=name
	@$(BIN)/python -m demo --context '$(CONTEXT)' --namespace '$(NAMESPACE)'

# --- end to end, on a cluster -------------------------------------------------------------------------------------
# OPERATOR=1.4.2|1.5.1|1.6.2 picks the KubeRay operator of the real cluster.
OPERATOR ?=
E2E       = OPERATOR='$(OPERATOR)' CONTEXT='$(CONTEXT)' $(BIN)/python -m tests.e2e

cluster-up:      ## start a real Kubernetes with KubeRay, built at first use: root, Debian or Ubuntu, Go; OPERATOR=version
	@OPERATOR='$(OPERATOR)' $(PYTHON) -m tests.realcluster up

cluster-down:    ## end it; nothing of it stays but the cache
	@$(PYTHON) -m tests.realcluster down

cluster-status:  ## is it there, and is all of it well?
	@$(PYTHON) -m tests.realcluster status

test-e2e: $(STAMP) ## the end-to-end suite, main part, on your own cluster, in a namespace of its own: CONTEXT=name
	@$(E2E) -m 'not full'

test-sandbox: $(STAMP) ## its main part in a sandbox, which is started for it and ended afterwards
	@$(E2E) --sandbox -m 'not full'

test-real: $(STAMP) ## its main part on the real cluster, which is started for it and ended afterwards; OPERATOR=version
	@$(E2E) --real -m 'not full'

test-real-full: $(STAMP) ## all of it, with the cases that break the cluster
	@$(E2E) --real

PLACE ?= sandbox
.PHONY: test-faults
test-faults: $(STAMP) ## all that a bad network and a broken cluster do to a session: PLACE=sandbox|real
	@$(E2E) --$(PLACE) tests/faults

OLDER_OPERATORS = 1.4.2 1.5.1
.PHONY: test-real-operators
test-real-operators: $(STAMP) ## a smoke run, a whole session, on the real cluster with each older operator
	@for version in $(OLDER_OPERATORS); do \
	  echo "KubeRay operator $$version"; OPERATOR=$$version $(BIN)/python -m tests.e2e --real -q -k 'test_session or test_version' || exit 1; \
	done
