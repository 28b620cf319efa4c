# All that a fresh machine needs is python3 (3.11 or newer) and make: the rest is fetched into .tools and .venv.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

PYTHON ?= python3
PY := .venv/bin/python
UV := .tools/bin/uv
UV_VERSION := 0.13.9
CRM_STATE_DIR ?= .crm
CLOCK ?=
SPEED ?=
RATE ?=
TRAFFIC ?=
TLS ?= 0
# Tests side by side: they mostly wait for processes, so one more than the cores of a small machine.
WORKERS ?= 3
# Tests' servers sync every write; in memory that costs nothing. (Power cuts have a disk of their own: make faults.)
TEST_TMP := $(firstword $(wildcard /dev/shm) /tmp)
APART := deploy containers standard looks played faults fuzz security upgrade wheels attacker published conformance/test_live.py
EVERYWHERE := tests $(APART:%=--ignore tests/%)
export CRM_STATE_DIR CLOCK SPEED RATE TRAFFIC TLS
# Every process that a test starts would compile all it imports, where nothing else keeps what was compiled.
TESTING := test test-long test-security test-looks test-upgrade test-edges golden fuzz fuzz-http test-played faults faults-controls faults-standby faults-machines faults-campaign
$(TESTING): export PYTHONDONTWRITEBYTECODE :=
$(TESTING): export PYTHONPYCACHEPREFIX := $(CURDIR)/.tools/pycache

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

run: setup ## Run everything here and play the Plan from 2003-05-09 (CLOCK=now TRAFFIC=none SPEED= RATE= TLS=1); Ctrl-C ends it
	@exec $(PY) -m infra.cli up

test: setup ## Run the tests, but for those that have a target of their own (TESTS=tests/unit for some, all of them)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) exec $(PY) -m pytest -q -n $(WORKERS) $(or $(TESTS),-m "not long" $(EVERYWHERE))

test-long: setup ## Run those of the same that take many seconds each: whole regions, servers lost, all pages, examples of the documents
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) exec $(PY) -m pytest -q -n $(WORKERS) -m long $(EVERYWHERE)

test-security: setup ## Attack a running region: forgeries, rewriting, rights, collisions, canaries (some minutes)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) exec $(PY) -m pytest -q -n $(WORKERS) tests/security

test-deploy: setup ## Run the tests of the deployment (they need Debian's promtool, postgresql-15 and systemd)
	@exec $(PY) -m pytest -q tests/deploy

test-containers: setup ## Build all images, start compose.yaml and try it (they need Debian's podman and more; FOLDER= keeps the images)
	@FOLDER=$(FOLDER) exec $(PY) -m pytest -q -s tests/containers

test-standard: setup ## Have other tools read what is signed and sealed (Debian's golang-go, golang-golang-x-mod-dev, nodejs, default-jdk-headless, age)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) exec $(PY) -m pytest -q tests/standard

test-looks: setup ## Have a real browser read the pages: nothing overlaps or is cut (they need Debian's Chromium and Pango)
	@exec $(PY) -m pytest -q tests/looks

test-played: setup ## Play the Plan's two years (some minutes), say which rows stay empty (SCREENS=folder: pictures of all pages)
	@SCREENS=$(SCREENS) exec $(PY) -m pytest -q -s tests/played

screens: setup ## Play the Plan up to October 2004 and take the documents' pictures of its pages (Debian's chromium; some minutes)
	@exec $(PY) -m tests.harness.screens $(or $(SCREENS),docs/screens)

test-wheels: setup ## Run strangers' suites on the installed wheels (npm, Debian's golang-github-nats-io-go-nats-dev, libjackson2-databind-java)
	@exec $(PY) -m pytest -q -s -n 0 tests/wheels

test-attacker: setup ## Attack the published figures over two played years, and open each hole on purpose (some minutes)
	@exec $(PY) -m pytest -q -s tests/attacker

test-conform: setup ## Have the inspector look at our own client, and find each of seventeen faulty ones (some minutes)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) exec $(PY) -m pytest -q -n 2 tests/conformance/test_live.py

test-published: setup ## Have others' tools read what is published (npm, javac, Debian's libjackson2-databind-java): parsers, validators, models
	@exec $(PY) -m pytest -q -s -n 0 tests/published

test-upgrade: setup ## Upgrade from an older version under traffic, with real processes of both (BEFORE=HEAD~20 REPORTS=1200)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) BEFORE=$(BEFORE) REPORTS=$(REPORTS) exec $(PY) -m pytest -q -n 0 tests/upgrade

test-edges: setup ## Send every edge value of every field of every type through a running system (SEED=10)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) EVERY=1 exec $(PY) -m pytest -q -s tests/system/test_edges.py

golden: setup ## Judge all that the version before judgements recorded anew: nothing may be told otherwise
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) EVERY=1 exec $(PY) -m pytest -q -n $(WORKERS) tests/services/test_golden.py

fuzz: setup ## Send mutated messages of all kinds through a running system (NUMBER=1000000 SECONDS=3600 SEED=1)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) exec $(PY) -m pytest -q -s tests/fuzz/test_million.py

fuzz-http: setup ## Have schemathesis ask a running system whatever its OpenAPI documents allow, and what not (NUMBER=200 SEED=1)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) NUMBER=$(or $(NUMBER),200) exec $(PY) -m pytest -q -s tests/security/test_http_described.py

check: setup ## Check style, types, the rules of who imports whom
	@$(PY) -m ruff format --check -q . && $(PY) -m ruff check -q . && $(PY) -m mypy && .venv/bin/lint-imports --no-cache \
		&& $(PY) -m shared.contracts check && $(PY) -m services.indicators.publish.documents check \
		&& $(PY) -m services.indicators.publish.messages check && $(PY) -m infra.grafana --check

documents: setup ## Write the OpenAPI documents in docs/ anew, after a change of the addresses
	@$(PY) -m services.indicators.publish.documents write

bench-questions: setup ## Measure how soon questions are answered, with a million documents and phone hashes
	@exec $(PY) -m tests.bench.questions

bench: setup ## Measure all that is promised, beside its peers, in under ten minutes (LARGE=1: growth to a million; 2: ten; DOCS=1)
	@exec $(PY) -m tests.bench.suite --large $(or $(LARGE),0) $(if $(DOCS),--docs)

bench-peers: .tools/peers/.synced ## Install what make bench is compared with: DuckDB, Pathway (1.4 GB, into .tools/peers)

bench-intake: setup ## Measure reports a second of a single type, beside the plain way and the floor
	@exec $(PY) -m tests.bench.run

bench-witnessed: setup ## Measure what signing the logs costs, beside recording without it (ROWS=10000000: on a log of so many)
	@exec $(PY) -m tests.bench.witnessed --rows $(or $(ROWS),0)

bench-mixed: setup ## Measure the region's own mixture, beside another version (BEFORE=e1029eb REPLICAS="1 2 3" ROUNDS=3)
	@exec $(PY) -m tests.bench.mixed --before $(or $(BEFORE),e1029eb) --rounds $(or $(ROUNDS),3) --replicas $(or $(REPLICAS),1)

bench-flood: setup ## Measure how one country's floods, of nine kinds, delay another's reports and questions (some minutes)
	@exec $(PY) -m tests.bench.flood

faults: setup ## Strike the whole system with seeded faults, check that nothing is lost or doubled (SEED=1 SECONDS=60 CUT_S=60)
	@exec $(PY) -m tests.faults.run --seed $(or $(SEED),1) --seconds $(or $(SECONDS),60) --cut-s $(or $(CUT_S),60)

faults-controls: setup ## Put in defects on purpose, each of which must be found; kill, restore, stop
	@exec $(PY) -m pytest -q -rs -n $(WORKERS) tests/faults --ignore tests/faults/test_standby.py --ignore tests/faults/test_machines.py

faults-standby: setup standby-tools ## Lose the leading one of two PostgreSQL servers during traffic (Debian's etcd-server; some minutes)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) exec $(PY) -m pytest -q -s -rs tests/faults/test_standby.py

faults-machines: setup standby-tools ## Lose, freeze, part one of three machines, or all (root, Debian's etcd-server; SEEDS=1, six minutes each)
	@PYTEST_DEBUG_TEMPROOT=$(TEST_TMP) SEEDS=$(SEEDS) exec $(PY) -m pytest -q -s tests/faults/test_machines.py

faults-campaign: setup ## The same for twenty seeds, one after another, without measuring recovery
	@failed=; for seed in $$(seq 1 20); do $(PY) -m tests.faults.run --seed $$seed --seconds $(or $(SECONDS),60) --no-recovery \
		|| failed="$$failed $$seed"; done; test -z "$$failed" || { echo "failed seeds:$$failed" >&2; exit 1; }

bench-growth: setup ## Measure appending, disk and a rebuild at 10 thousand to a million events (LARGE=1: ten million as well)
	@exec $(PY) -m tests.bench.growth $(if $(LARGE),--large)

bench-fold: setup ## Measure what an event costs the fold: core slice and whole plan, 100 thousand to 5 million events
	@exec $(PY) -m tests.bench.fold

bench-verify: setup ## Measure what `crm verify` costs a row, beside another version (BEFORE=9297d0e6 ROWS=200000 ROUNDS=3)
	@exec $(PY) -m tests.bench.verifying --rows $(or $(ROWS),200000) --rounds $(or $(ROUNDS),3) $(if $(BEFORE),--before $(BEFORE))

bench-reading: setup ## Measure what reading costs: scrapes after 0 to 200 events, and 500 boards that watch (some minutes)
	@exec $(PY) -m tests.bench.reading

soak: setup ## Measure what the system can do, have it do half of that; memory, files, connections must stay flat (SECONDS=1800)
	@exec $(PY) -m tests.faults.soak --seconds $(or $(SECONDS),1800)

clean: ## Remove the data of `make run` and all caches
	@$(PYTHON) -m infra.local.clean "$(CRM_STATE_DIR)"
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info

dist: $(UV) ## Build the wheels crm, crm-client and crm-testkit into dist/
	@rm -rf dist
	@for folder in . infra/wheels/client infra/wheels/testkit; do $(UV) build -q --wheel --out-dir dist $$folder || exit 1; done
	@ls dist/*.whl

release: setup ## Number the wheels and write CHANGELOG.md (VERSION=0.2.0)
	@$(PY) -m infra.release "$(VERSION)"

# Compile the locks anew after a change of pyproject.toml: all that is used here, and what the images hold.
COMPILE := pip compile -q --no-emit-package crm-client --universal --generate-hashes --python-version 3.11 --no-header
lock: $(UV)
	@$(UV) $(COMPILE) --group embedded --group pdf --group dev pyproject.toml -o requirements.lock
	@$(UV) $(COMPILE) -c requirements.lock pyproject.toml -o requirements.runtime.lock
	@$(UV) $(COMPILE) --group bench -o requirements.bench.lock
	@$(UV) $(COMPILE) --group standby -o requirements.standby.lock

sbom: $(UV) ## Write what the images hold as CycloneDX into build/sbom.json
	@mkdir -p build && $(UV) tool run -q --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.runtime.lock \
		--of JSON -o build/sbom.json && echo "build/sbom.json"

audit: setup ## Ask for known weaknesses of packages (needs PyPI itself), and find images that are not pinned by digest
	@$(UV) tool run -q pip-audit==2.10.1 --no-deps --disable-pip --progress-spinner off -f json -r requirements.runtime.lock \
		2>/dev/null | $(PY) -m infra.audit

setup: .venv/.synced

.venv/.synced: requirements.lock | $(UV)
	@echo "packages: as locked, into .venv"
	@test -x $(PY) || $(UV) venv -q --no-python-downloads --python $(PYTHON) .venv
	@$(UV) pip sync -q --require-hashes --python $(PY) requirements.lock
	@printf '#!/bin/sh\nPYTHONPATH="%s$${PYTHONPATH:+:$$PYTHONPATH}" exec "%s" -m infra.cli "$$@"\n' \
		"$(CURDIR)" "$(CURDIR)/$(PY)" > .venv/bin/crm && chmod +x .venv/bin/crm
	@touch $@

.tools/peers/.synced: requirements.bench.lock | $(UV)
	@test -x .tools/peers/bin/python || $(UV) venv -q --no-python-downloads --python $(PYTHON) .tools/peers
	@$(UV) pip sync -q --require-hashes --python .tools/peers/bin/python requirements.bench.lock
	@touch $@

standby-tools: .tools/standby/.synced ## Install what two PostgreSQL servers need to be one (Patroni; also Debian's etcd-server)

.tools/standby/.synced: requirements.standby.lock | $(UV)
	@rm -rf .tools/standby
	@$(UV) pip install -q --require-hashes --no-deps --python $(PY) --target .tools/standby -r requirements.standby.lock
	@touch $@

# uv alone, by pip where there is one (quicker), else in an environment that brings its own pip.
$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "python3 3.11 or newer is needed; name another with PYTHON=" >&2; exit 1; }
	@echo "tools: uv, into .tools"
	@mkdir -p .tools/bin && pip="$(PYTHON) -m pip"; \
	if ! $$pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv .tools/python >/dev/null 2>&1 \
			|| { echo "this python3 has neither pip nor ensurepip: install python3-pip or python3-venv" >&2; exit 1; }; \
		pip=".tools/python/bin/python -m pip"; \
	fi; \
	$$pip install -q --disable-pip-version-check --root-user-action ignore --no-compile --upgrade \
		--target .tools/lib uv==$(UV_VERSION)
	@ln -sf ../lib/bin/uv $@

.PHONY: help run test screens test-long test-security test-published test-standard bench-witnessed test-wheels dist test-looks test-attacker test-upgrade test-edges golden fuzz fuzz-http documents test-deploy test-played check bench bench-peers bench-intake bench-mixed bench-flood bench-fold bench-reading bench-verify bench-growth bench-questions faults standby-tools faults-standby faults-machines faults-controls faults-campaign soak clean lock sbom audit setup test-containers
