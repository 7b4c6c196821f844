# The two commands that matter: `make demo` shows it, `make test` proves it.
SHELL := /bin/bash
BIN := .venv/bin
WORKERS ?= 3
TESTS ?= tests
CATALOGUES := aidvisit/translations

.PHONY: help demo test deep contract lint format mutants torture messages bench pictures lock clean

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

demo: .venv/runtime.stamp ## a central server and a field laptop on this machine, with sample data
	@$(BIN)/aidvisit demo

test: .venv/dev.stamp ## lint, types and every test, with PostgreSQL, Chromium, nginx and Caddy
	@$(BIN)/python -m tests.support.browser
	@$(BIN)/python -m tests.support.proxies
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

deep: .venv/dev.stamp ## 10,000 seeds of the simulation in memory and 500 on files; goes on where it was stopped
	$(BIN)/python -m tests.simulation --from 1000 --count 10000 --jobs $(WORKERS)
	$(BIN)/python -m tests.simulation --from 20000 --count 500 --jobs $(WORKERS) --files

contract: .venv/dev.stamp ## 200 cases of every operation of the API, over HTTP, against its description
	$(BIN)/python -m tests.contract.described --cases 200

lint: .venv/dev.stamp ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev.stamp ## put the source into its one layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

mutants: .venv/dev.stamp ## break the code on purpose: every break must turn a test red
	$(BIN)/python -m tests.mutants.run

torture: .venv/dev.stamp ## kill -9 at every step, on both sides, 500 times; and 100 times while a form is filled in
	$(BIN)/python -m tests.torture
	$(BIN)/python -m tests.torture --forms 50

messages: .venv/dev.stamp ## find the texts in source and templates, update and compile the catalogues
	@mkdir -p build
	$(BIN)/pybabel -q extract -F pyproject.toml --no-location --no-wrap --sort-output -o build/messages.pot .
	$(BIN)/pybabel -q update -i build/messages.pot -d $(CATALOGUES) -l en --no-fuzzy-matching --no-wrap --ignore-pot-creation-date --ignore-obsolete
	$(BIN)/pybabel -q compile -d $(CATALOGUES)

bench: .venv/dev.stamp ## measure
	$(BIN)/python -m benchmarks

pictures: .venv/dev.stamp ## take the README's pictures anew
	$(BIN)/python -m tests.e2e.pictures

lock: ## resolve the locks anew (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --group build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --extra postgres --group dev \
	  -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove everything that was made here
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/runtime.stamp: requirements.lock pyproject.toml
	@.ci/setup runtime

.venv/dev.stamp: requirements-dev.lock requirements.lock pyproject.toml
	@.ci/setup dev
