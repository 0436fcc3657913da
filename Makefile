# Everything a newcomer needs, from a bare clone with Python 3.11 or newer: `make demo`, `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Which tests stay together, and which begin first, is in tests/scheduling.py.
PARALLEL ?= -n auto
QUICK := tests/unit tests/rules/test_rules.py tests/rules/test_coverage.py tests/golden/test_rules_page.py
FUZZ_SECONDS ?= 120
FUZZ_TARGETS ?= notification live_event policy log_file matcher digest metadata
# The wheel brings node; no other node, and none of the caller's AWS settings, are used.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# uv links files where it can and warns where it cannot; copying avoids the warning.
export UV_LINK_MODE ?= copy
export UV_NO_PROGRESS := 1
# Tests start hundreds of Pythons; without its bytecode each would compile what it imports anew.
unexport PYTHONDONTWRITEBYTECODE

SITE_OPTIONS ?= --quiet --fail-on-warning --keep-going --fresh-env

.DEFAULT_GOAL := help

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.ready .ministack/.ready node_modules/.ready ## Install everything into .venv, .ministack and node_modules

demo: setup ## Deploy the real stack into an embedded AWS and play the examples through it
	$(BIN)/trailbell local

test: setup style ## Lint, type check and run all tests, the end-to-end ones included
	$(MAKE) --no-print-directory -j2 types tests

# Beside each other: where tests wait for an embedded AWS, types are checked.
tests: setup build/tokens/.ready build/checkov/.ready build/awscli/.ready build/fuzz/.ready build/release-tools/.ready build/site-tools/.ready
	$(BIN)/pytest $(PARALLEL)

lint: style types ## Check style, format and types

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

quick: setup ## What to run after each change: style, rules and units, property tests short (20 seconds)
	$(BIN)/ruff check .
	HYPOTHESIS_PROFILE=dev $(BIN)/pytest $(PARALLEL) -m "not slow" $(QUICK)

check: lint test-fast ## What to run before a commit: lint, types, and all tests but those of CDK and of an embedded AWS

test-fast: setup ## Run the tests that need neither CDK nor an embedded AWS
	$(BIN)/pytest $(PARALLEL) tests/unit tests/rules tests/audit tests/integration tests/golden tests/crash

stress: setup ## Test crashes anywhere, with 20,000 schedules of faults (about half an hour)
	$(BIN)/python -m tests.crash.explore --schedules 20000

fuzz: setup build/fuzz/.ready ## Fuzz all parsers of foreign input, FUZZ_SECONDS for each of FUZZ_TARGETS
	$(BIN)/python -m tests.fuzz.prepare
	for target in $(FUZZ_TARGETS); do PYTHONPATH=lambdas build/fuzz/bin/python -m tests.fuzz.drive $$target $(FUZZ_SECONDS) || exit 1; done

audit: setup build/audit/.ready build/tokens/.ready ## Check locks, licences, secrets, and known vulnerabilities (needs an advisory service)
	$(BIN)/python -m tools.audit $(if $(ADVISORIES),--advisories $(ADVISORIES))

site: setup build/site-tools/.ready ## Build all pages as a site into build/site; a link or anchor that is broken ends it
	build/site-tools/bin/python -m sphinx $(SITE_OPTIONS) -c tools/site -d build/site-tools/doctrees . build/site

recording: setup build/recording/.ready ## Record the demo in a terminal, as docs/demo.svg (two minutes)
	$(BIN)/python -m tools.recording

release: setup build/release-tools/.ready ## Build VERSION from its tag into build/release, and upload nothing
	@test -n "$(VERSION)" || { echo "say which: make release VERSION=1.2.3, of which there is a tag v1.2.3"; exit 1; }
	$(BIN)/python -m tools.release $(VERSION)

format: setup ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

rule: setup ## Begin a rule and its cases: NAME=kms-key-renamed SERVICE=kms, and EVENT=RenameKey or LOCAL=1
	@$(BIN)/trailbell rules new $(if $(NAME),$(NAME),$(error say NAME=kms-key-renamed)) --service $(if $(SERVICE),$(SERVICE),$(error say SERVICE=kms)) $(if $(EVENT),--event $(EVENT)) $(if $(LOCAL),--local)

golden: generate ## The same as generate

generate: setup ## Write everything anew that is made of rules and tables; then read the git diff
	PYTHONPATH=lambdas:. $(BIN)/python -m tests.golden

benchmarks: setup build/benchmarks/.ready ## Measure with log files as they are, beside other tools (FOLDER=your own), and write docs/performance.md
	$(BIN)/python -m benchmarks peers small_files bucket year shares --write $(if $(FOLDER),--folder $(FOLDER))

token-forms: setup build/tokens/.ready ## Take the known beginnings of tokens from the pinned scanner's rules anew
	PYTHONPATH=. build/tokens/bin/python -m tools.token_forms

lock: setup ## Pin all dependencies with hashes after changing pyproject.toml or a .in file
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --all-extras pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements-local.in -o requirements-local.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header lambdas/requirements.in -o lambdas/requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header lambdas/audit.in -o lambdas/audit.txt
	for name in uv checkov audit awscli benchmarks fuzz release tokens site recording; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header tools/$$name.in -o tools/$$name.txt; done

clean: ## Remove everything that was installed or built
	rm -rf $(VENV) .ministack node_modules build cdk.out .trailbell lambdas/*.egg-info

$(VENV)/.ready: requirements.txt pyproject.toml setup.py tools/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "trailbell needs Python 3.11 or newer; say which with: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

.ministack/.ready: requirements-local.txt $(VENV)/.ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .ministack
	$(BIN)/uv pip install --quiet --python .ministack/bin/python --require-hashes -r requirements-local.txt
	touch $@

node_modules/.ready: package-lock.json $(VENV)/.ready
	$(BIN)/npm ci --silent --no-audit --no-fund
	touch $@

# Tools get their own environments, so that their pins do not affect ours.
build/checkov/.ready build/audit/.ready build/awscli/.ready build/benchmarks/.ready build/tokens/.ready build/recording/.ready: build/%/.ready: tools/%.txt $(VENV)/.ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/$*
	$(BIN)/uv pip install --quiet --python build/$*/bin/python --require-hashes -r tools/$*.txt
	touch $@

build/release-tools/.ready build/site-tools/.ready: build/%-tools/.ready: tools/%.txt $(VENV)/.ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/$*-tools
	$(BIN)/uv pip install --quiet --python build/$*-tools/bin/python --require-hashes -r tools/$*.txt
	touch $@

# Where atheris has no wheel, the tests fuzz without coverage guidance; build/fuzz keeps the findings.
build/fuzz/.ready: tools/fuzz.txt $(VENV)/.ready
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python build/fuzz
	$(BIN)/uv pip install --quiet --python build/fuzz/bin/python --require-hashes --only-binary :all: -r tools/fuzz.txt \
		|| echo "atheris cannot be installed here: fuzzing continues without it"
	touch $@

.PHONY: help setup demo test tests lint style types quick check test-fast stress fuzz audit site recording release format rule generate golden benchmarks token-forms lock clean
