# Targets for people; everything they run is in the README. `make` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# cpu or cuda. A machine with an NVIDIA driver gets CUDA, any other the CPU build.
TORCH ?= $(if $(shell command -v nvidia-smi 2>/dev/null),cuda,cpu)
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu

# What installs all but torch from the pins.
INSTALL ?= $(BIN)/pip install --quiet

TASK ?= detection
LEADS ?= 12
METHOD ?= ls_emvae
FOLDS ?= 5
OUT ?=
COHORT ?=
ENCODER ?=
PRETRAIN ?=
TASKS ?=
METHODS ?=
BUDGET ?=
JOBS ?= 1
DASK ?=
SWEEP ?= experiments/sweeps/synthetic_grid.yaml
# A list as the command line takes it: "a b" becomes ["a","b"].
list = ["$(subst $() ,"$(comma)",$(strip $(1)))"]
comma := ,

.DEFAULT_GOAL := help
.PHONY: help install demo cv benchmark sweep test docs lint lint-style lint-types lint-layers format bench gpu torture zoo public study without-torch clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

install: $(READY)  ## make the environment in .venv (TORCH=cpu or cuda)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or later is needed; name it with PYTHON=python3.11"; exit 2; }
	@test ! -e $@ || echo "pyproject.toml or constraints.txt is newer than $(VENV), so it is installed again"
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@echo "1 of 2: torch ($(TORCH) build); both steps take about two minutes where nothing else runs"
ifeq ($(TORCH),cpu)
	@$(BIN)/pip install --quiet --no-deps --retries 1 -c constraints.txt --extra-index-url $(TORCH_CPU_INDEX) torch 2> >(grep -v '^WARNING' >&2)
	@$(BIN)/python -c 'import importlib.metadata as m, sys; sys.exit(sys.platform == "linux" and any("nvidia" in r for r in m.requires("torch")))' || \
		{ echo "error: no CPU build of torch was found, only one that pulls CUDA; is $(TORCH_CPU_INDEX) reachable?"; \
		  echo "       give another index with TORCH_CPU_INDEX=, or take the CUDA build with TORCH=cuda"; exit 2; }
else
	@$(BIN)/pip install --quiet -c constraints.txt torch
endif
	@echo "2 of 2: all other packages"
	@$(INSTALL) -c constraints.txt -e '.[dev]'
	@$(INSTALL) --no-deps -c constraints.txt sweeps  # asks for numpy < 2, runs with 2
	@touch $@

demo: $(READY)  ## synthetic cohort, pre-training, cross-validation, report: reports/demo/index.html
	@$(BIN)/lsemvae demo

cv: $(READY)  ## cross-validate: TASK= LEADS= METHOD= COHORT= ENCODER= FOLDS= OUT=
	@$(BIN)/lsemvae cv --task '$(TASK)' --leads '$(LEADS)' --method '$(METHOD)' --folds '$(FOLDS)' \
		$(if $(OUT),--out '$(OUT)') $(if $(COHORT),--cohort '$(COHORT)') $(if $(ENCODER),--encoder '$(ENCODER)')

benchmark: $(READY)  ## Table 2: COHORT= PRETRAIN= TASKS= METHODS= BUDGET= JOBS= DASK= OUT= (lists with spaces)
	@$(BIN)/lsemvae benchmark --folds '$(FOLDS)' --jobs '$(JOBS)' \
		$(if $(COHORT),--cohort '$(COHORT)') $(if $(PRETRAIN),--pretrain '$(call list,$(PRETRAIN))') \
		$(if $(TASKS),--tasks '$(call list,$(TASKS))') $(if $(METHODS),--methods '$(call list,$(METHODS))') \
		$(if $(BUDGET),--budget '$(BUDGET)') $(if $(DASK),--dask '$(DASK)') $(if $(OUT),--out '$(OUT)')

sweep: $(READY)  ## try hyper-parameters of pre-training: SWEEP=FILE JOBS= OUT=
	@$(BIN)/lsemvae sweep '$(SWEEP)' --jobs '$(JOBS)' $(if $(OUT),--out '$(OUT)')

test: $(READY)  ## run the tests
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

without-torch: $(READY)  ## predict with a graph in an environment that has no torch
	@$(PYTHON) -m venv --clear --without-pip $(VENV)-predict
	@$(BIN)/pip --python $(VENV)-predict/bin/python install --quiet -c constraints.txt -r requirements/predict.txt
	@$(BIN)/pip --python $(VENV)-predict/bin/python install --quiet --no-deps .
	@$(BIN)/python -m benchmarks.without_torch --python $(VENV)-predict/bin/python $(ARGS)

docs: $(READY)  ## the pages of docs/ as a site in site/, links checked
	@$(BIN)/pip install --quiet -c constraints.txt -e '.[docs]'
	@NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/mkdocs build --quiet --strict
	@echo "site: site/index.html (its search needs a server: $(BIN)/python -m http.server --directory site)"

lint: lint-style lint-types lint-layers  ## ruff, mypy, import-linter

lint-style: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

lint-types: $(READY)
	@$(BIN)/mypy

lint-layers: $(READY)
	@$(BIN)/lint-imports

format: $(READY)  ## let ruff format and sort; write README's table of commands
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python -m benchmarks.command_table README.md

bench: $(READY)  ## step, start, encoding, explaining, busy machine, conversion, loading, 800,000 records, coverage: reports/
	@$(BIN)/python -m benchmarks.step
	@$(BIN)/python -m benchmarks.busy
	@$(BIN)/python -m benchmarks.threads
	@$(BIN)/python -m benchmarks.start
	@$(BIN)/python -m benchmarks.inference
	@$(BIN)/python -m benchmarks.heads
	@$(BIN)/python -m benchmarks.explaining
	@$(BIN)/python -m benchmarks.encode_array
	@$(BIN)/python -m benchmarks.conversion
	@$(BIN)/python -m benchmarks.loading
	@$(BIN)/python -m benchmarks.full_size
	@$(BIN)/python -m benchmarks.coverage
	@$(BIN)/python -m benchmarks.external_coverage

gpu: $(READY)  ## check and time everything on a GPU, at most 8 minutes: reports/gpu.json, docs/roofline.md
	@$(BIN)/python -m benchmarks.gpu --page docs/roofline.md

torture: $(READY)  ## hostile files, kill -9, full disks: reader, store, checkpoints, YAML
	@$(BIN)/python -m benchmarks.torture_reader
	@$(BIN)/python -m benchmarks.torture_store
	@$(BIN)/python -m benchmarks.torture_checkpoint
	@$(BIN)/python -m benchmarks.torture_config

zoo: $(READY)  ## cost of every method of Table 2 on this machine: reports/zoo.json
	@$(BIN)/python -m benchmarks.zoo

public: $(READY)  ## Table 2 on public recordings: ECG_CORPORA=folder ARGS="--methods all"
	@$(BIN)/python -m benchmarks.public_recordings $(ARGS)

study: $(READY)  ## from 900 invented exports and a workbook to the report, compared with what was planted
	@$(BIN)/python -m benchmarks.study

clean:  ## remove the environment and caches; data, runs and reports stay
	@rm -rf $(VENV) $(VENV)-predict .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
