# Everything starts here. A fresh clone needs make and a python3 that has pip; the rest is brought into .tools and .venv.

PYTHON := .venv/bin/python
PROJECTS := $(shell find pyproject.toml shared services deploy -name pyproject.toml -not -path '*/node_modules/*')
SOURCES = $(shell find shared services deploy -type d -name src -not -path '*/node_modules/*')

# What the container image holds.
IMAGE := customers licensing reporting notifications gateway simulator

# Who has no home of their own to keep downloads in keeps them here.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export XDG_CACHE_HOME := $(CURDIR)/.tools/cache
export XDG_DATA_HOME := $(CURDIR)/.tools/data
endif

# Ten processes that compile a thousand modules at every start cost two seconds of CPU each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up down logs status mail reset test check bench fmt docs released lock

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-15s %s\n", $$1, $$2 }'

.venv/ready: requirements.lock .python-version .ci/uv.lock.txt .ci/bootstrap $(PROJECTS)
	@.ci/bootstrap
	@touch $@

up: .venv/ready ## start everything and show the main job
	@.venv/bin/partnerdeck up

down: .venv/ready ## stop everything; data stays
	@.venv/bin/partnerdeck down

logs: .venv/ready ## what the processes said
	@.venv/bin/partnerdeck logs

status: .venv/ready ## what runs
	@.venv/bin/partnerdeck status || true

mail: .venv/ready ## the mails that were sent
	@.venv/bin/partnerdeck mail

reset: .venv/ready ## stop everything and delete all data (asks)
	@.venv/bin/partnerdeck reset

test: .venv/ready ## every test; TESTS=path or -k for some
	@.venv/bin/pytest -n 3 $(TESTS)

check: .venv/ready ## style, types, walls between packages
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy $(SOURCES)
	@.venv/bin/lint-imports

bench: .venv/ready ## benchmarks, each beside the bare limit; ONLY=P5,P8 for some, JSON=file for a machine
	@PYTHONPATH=tests $(PYTHON) -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json $(JSON))

fmt: .venv/ready ## format, and mend what can be mended
	@.venv/bin/ruff check --fix-only --exit-zero
	@.venv/bin/ruff format

docs: .venv/ready ## what is generated from the code: schemas of the events, catalogue of events, OpenAPI, table of metrics
	@$(PYTHON) -m contracts.schemas write
	@$(PYTHON) -m contracts.asyncapi write
	@$(PYTHON) docs/api/generate.py write
	@$(PYTHON) docs/metrics/generate.py write

released: .venv/ready ## with each release: note what its code needs of the schema
	@PARTNERDECK_RELEASED=1 .venv/bin/pytest -n 0 -q tests/walls/test_schemas.py

lock: .venv/ready ## write requirements.lock, and the part of it that the image needs, without addresses
	@.tools/bin/uv lock
	@.tools/bin/uv export --all-packages --all-groups --no-emit-workspace --no-header -q -o requirements.lock
	@.tools/bin/uv export $(IMAGE:%=--package partnerdeck-%) --no-default-groups --no-emit-workspace --no-header -q -o deploy/requirements.lock
