# Python 3.11 to set up with; everything after runs from .venv.
PYTHON ?= $(shell command -v python3.11 || echo python3)

.PHONY: quickstart sim2real test lint setup

# Photographs with known azimuths to test on, as a Stanford Cars-like or native data set.
PHOTOS ?= path/to/photographs
SIM2REAL = runs/sim2real

quickstart: setup  ## render, train, compare: ends with the path of a report
	.venv/bin/pamtri quickstart

sim2real: setup  ## render 7,000 images, train on them alone, read the viewpoints of PHOTOS
	.venv/bin/pamtri synth render configs/synth/sim2real.yaml --output $(SIM2REAL)/synthetic --workers 2 --resume
	.venv/bin/pamtri train pose configs/pose/sim2real.yaml --output $(SIM2REAL)/pose --resume
	.venv/bin/pamtri export $(SIM2REAL)/pose/best.pt --output $(SIM2REAL)/sim2real.onnx
	.venv/bin/pamtri predict pose $(SIM2REAL)/sim2real.onnx $(PHOTOS) --output $(SIM2REAL)/pose.npy
	.venv/bin/pamtri predict viewpoint $(SIM2REAL)/pose.npy --output $(SIM2REAL)/viewpoint.csv
	.venv/bin/pamtri evaluate viewpoint $(SIM2REAL)/viewpoint.csv $(PHOTOS) --rose $(SIM2REAL)/rose.png

test: setup  ## every test, one thread each on two processes
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2

lint: setup  ## style, types and import boundaries
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

setup:  ## the environment; nothing to do when nothing changed
	@$(PYTHON) bootstrap.py
