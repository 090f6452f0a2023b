# make demo, make test: each sets up .venv/ first. Nothing but make and Python >= 3.11 is needed.

# The first interpreter that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
BIN := .venv/bin
OUT ?= runs/demo

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check lint types tests bench probe clean help

help:
	@echo "make demo   run the main job without any model"
	@echo "make test   check and test everything"
	@echo "make check  linting and typing alone"
	@echo "make bench  the figures that the README quotes"
	@echo "make probe  does gold data teach a small model? (installs PyTorch; about a minute)"

demo: .venv/runtime
	$(BIN)/cultivar run agentgen --environments 30 --tasks 18 --out $(OUT)

test: check tests

check: lint types

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/development
	$(BIN)/mypy

tests: .venv/development
	$(BIN)/pytest -n auto

bench: .venv/development
	$(BIN)/python -m benchmarks

probe: .venv/probe
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.probe_smoke

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "cultivar needs Python 3.11 or newer; install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; echo "the venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

.venv/runtime: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/development: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ .venv/runtime

.venv/probe: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[probe]'
	@touch $@ .venv/runtime

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache
