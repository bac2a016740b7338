# Home System. `make` shows what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON := .venv/bin/python
# Many tests wait for a home and leave the processor idle: twice as many at once as there are cores. WORKERS=0 is one by
# one. Each of these processes, and whatever it starts, reads the tests as they were compiled once.
WORKERS ?= $(shell expr 2 \* $$(nproc))
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(PYTHON) -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

.PHONY: help run test setup check lint unit integration e2e chaos bench fuzz findings house deb image pins pythons years catalogue manual matrix pictures lock clean

help: ## Show this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## (.*)/\1\t\2/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## Install what is missing, run the demo home, print where it is; Ctrl-C ends it
	@deploy/setup.sh run
	@exec .venv/bin/homesystem up --demo

test: setup ## Install what is missing, run every test on real parts
	$(PYTEST) tests

setup: ## Install what the tests need
	@deploy/setup.sh test

check: lint ## Everything a reviewer checks: lint, the hooks of pre-commit, what is known against our dependencies
	.venv/bin/pre-commit run --all-files
	$(PYTHON) -m tests.advisories

lint: setup ## Formatting, linting, types and import rules
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

unit: setup ## Tests without sockets
	$(PYTEST) tests/unit

integration: setup ## Tests on a real broker, SMTP server and database
	$(PYTEST) tests/integration

e2e: setup ## Tests in a real browser on the whole house
	$(PYTEST) tests/e2e

chaos: setup ## Kill, cut and fill up: page, pin, state and audit must agree afterwards
	$(PYTEST) tests/chaos

bench: setup ## Measure against floors taken in the same run; AGAINST=REV: beside that commit, in turns
	$(PYTHON) -m tests.bench $(if $(AGAINST),--against $(AGAINST))

fuzz: setup ## 100,000 odd requests and as many odd messages to a home of their own: no 5xx, no death, no secret in a log
	$(PYTHON) -m tests.fuzz http --requests 100000
	$(PYTHON) -m tests.fuzz mqtt --messages 100000

findings: ## What real software was seen to do that one would not expect; needs Debian 12, apt and pip
	@for finding in findings/*.sh; do echo "== $$finding"; bash "$$finding" || exit 1; done

house: setup ## Follow docs/setup.md on booted Debian systems, and live in that home; SHORT=1: the cut that CI runs; DEB=1: from packages
	$(PYTHON) -m tests.booted $(if $(SHORT),--short) $(if $(DEB),--packages)

deb: ## Debian packages of hub and agent for Debian 12 and 13, with bills of materials and hashes, into build/debs; KEY=FILE: signed
	@deploy/setup.sh deb
	$(PYTHON) -m deploy.debs $(if $(KEY),--sign $(KEY))

image: ## The image of a home, and that of its PostgreSQL, by Docker; BASE=IMAGE SUITE=bookworm|trixie TAG=NAME to choose
	@deploy/setup.sh deb
	$(PYTHON) -m deploy.containers.image $(if $(BASE),--base $(BASE)) $(if $(SUITE),--suite $(SUITE)) $(if $(TAG),--tag $(TAG))

pins: setup ## The agent's pins, sensors and watchdog on Debian's kernels under emulation (QEMU), with simulated chips
	$(PYTHON) -m tests.pins $(if $(KERNEL),--kernel $(KERNEL))

pythons: ## The unit tests on each Python that can be had here, from the machine or from Debian's suites
	$(PYTHON) -m tests.pythons

years: setup ## Live 800 days in one home (libfaketime): renew, restart, sign in, command; nobody may be refused
	$(PYTHON) -m tests.years

catalogue: setup ## Gather the letters' sentences for translation, and compile what is translated
	$(PYTHON) -m tests.catalogue

manual: setup ## Write the manual page homesystem(1) from the commands
	$(PYTHON) -m tests.manual

matrix: setup ## Write docs/authorization.md, who may what, from the table of rules
	$(PYTHON) -m tests.authorization_page

pictures: setup ## A picture of every page, on phone, tablet and desk, light and dark, in each language, into DIR; what is wrong with any
	$(PYTHON) -m tests.pictures $(DIR)

lock: setup ## Pin dependencies anew, with hashes
	$(COMPILE) pyproject.toml --extra deploy -o requirements.lock
	$(COMPILE) pyproject.toml --extra room -c requirements.lock -o requirements-room.lock
	$(COMPILE) pyproject.toml --extra room --extra lgpio -c requirements-room.lock -o requirements-room-lgpio.lock
	$(COMPILE) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## Remove the demo home and the environment
	rm -rf var .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
