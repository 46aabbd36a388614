# The targets are the whole interface: each one sets up what it needs first.
PYTHON ?= python3
BIN := .venv/bin
UV := build/uv/bin/uv
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--extra production pyproject.toml

unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up down test check format docs lock pictures bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv with the locked packages and the command `connections`
	@$(PYTHON) scripts/setup

demo: setup ## Run the main job for real, print what happened, leave nothing running
	@$(BIN)/python -m local_stack demo

up: setup ## Start Airflow, the ledger and the screen, and leave them running
	@$(BIN)/python -m local_stack up

down: setup ## Stop every process that `make up` or a command started
	@$(BIN)/python -m local_stack down

test: setup ## Run the whole test suite (ARGS='-k word' for a part)
	@$(BIN)/pytest --numprocesses 2 --dist loadgroup $(ARGS)

check: setup ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup ## Put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## Write the pages of docs/ that are made from the code
	$(BIN)/connections schema --markdown > docs/configuration.md
	$(BIN)/python -m data_connections.data_types.documentation > docs/data-type-reference.md
	$(BIN)/python -m deployment.settings_table > docs/settings.md

lock: setup ## Write requirements.txt and requirements-dev.txt from pyproject.toml (ARGS=--upgrade)
	$(LOCK) --output-file requirements.txt $(ARGS)
	$(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt $(ARGS)

pictures: setup ## Make the pictures of the guide again, by walking through the screen in a browser
	@CONNECTIONS_PICTURES=docs/images $(BIN)/pytest tests/ui/test_journey.py

bench: setup ## Measure against peers (CASE=name for one); writes build/bench.json
	@$(BIN)/python -m bench $(CASE)

clean: down ## Remove what can be made again; data in .connections stays
	rm -rf .venv build
