# Python 3.11 to set up with; everything after runs from .venv.
PYTHON ?= $(shell command -v python3.11 || echo python3)

.PHONY: quickstart test lint setup

quickstart: setup  ## render, train, compare: ends with the path of a report
	.venv/bin/pamtri quickstart

test: setup  ## every test, one thread each on two processes
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2

lint: setup  ## style, types and import boundaries
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

setup:  ## the environment; nothing to do when nothing changed
	@$(PYTHON) bootstrap.py
