# Everything a person or a machine does with this checkout. `make help` lists it.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := .venv/bin
STAMPS := .make

# Python 3.11 or newer; the first one found if this is empty.
PYTHON ?=
# auto: Grid Engine if its packages are installed, else the embedded cluster. Or embedded, or gridengine.
ENGINE ?= auto
# What `make tour` runs.
NOTEBOOK ?= notebooks/0-tour.ipynb
# Options for JupyterLab, pytest, the benchmarks. The tests wait for Grid Engine's one-second pace most of their
# time: four files at once take a third as long, also on two cores.
LAB_ARGS ?=
PYTEST_ARGS ?= -n 4 --dist loadfile --no-loadscope-reorder
# The lessons in the documentation: those that changed are executed, or all of them (again), or none (plain).
LESSONS ?= changed
BENCHMARKS ?= $(sort $(wildcard benchmarks/*.py))

# What the front end is built from, by the build hook, when the package is installed.
FRONT_END := hatch_build.py gcs_lab/widgets/job_states.json $(wildcard labextension/*.json labextension/*.mjs) \
             $(shell find labextension/src labextension/style labextension/schema -type f)

.PHONY: help lab tour test lint benchmark docs linkcheck stop clean force

help:  ## list these targets
	@echo "usage: make TARGET [PYTHON=python3.12] [ENGINE=auto|embedded|gridengine] [LAB_ARGS='--no-browser --port 9999']"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(STAMPS)/lab  ## install into .venv, start a cluster, open JupyterLab on the tour
	@$(BIN)/python tools/open_lab.py --engine "$(ENGINE)" -- $(LAB_ARGS)

tour: $(STAMPS)/lab  ## run the tour (or NOTEBOOK=…) without a browser, and say what ran where
	@$(BIN)/python tools/run_tour.py --engine "$(ENGINE)" --notebook "$(NOTEBOOK)"

test: $(STAMPS)/dev  ## install what the tests need (apt too, if root or sudo permits), run all: Vitest, pytest
	@tools/install_packages.sh gridengine chromium modules
	@tools/front_end.sh test
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(STAMPS)/dev  ## ruff, mypy, ESLint and tsc
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@tools/front_end.sh lint

benchmark: $(STAMPS)/dev  ## measure, and print the figures beside those of others
	@for script in $(BENCHMARKS); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: $(STAMPS)/docs  ## execute the lessons that changed, build the documentation (docs/_build/html), check its links
	@$(BIN)/python tools/docs/site_build.py --lessons $(LESSONS)

linkcheck: $(STAMPS)/docs  ## as `make docs`, and ask for every page of others that is linked; it needs a network
	@$(BIN)/python tools/docs/site_build.py --lessons $(LESSONS) --external

stop:  ## stop the private Grid Engine and the embedded cluster that `make lab` started
	@$(BIN)/python -m gcs_lab.cli demo stop
	@$(BIN)/python -m gcs_lab.cli embedded stop

clean:  ## remove .venv and everything else that can be made again
	rm -rf .venv $(STAMPS) build dist test-results labextension/node_modules labextension/lib
	rm -rf gcs_lab/widgets/static gcs_lab/labextension docs/_build docs/lessons
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment does not survive being moved: the stamp holds the folder that it was made in.
ifneq ($(shell cat $(STAMPS)/venv 2>/dev/null),$(CURDIR))
$(STAMPS)/venv: force
endif
ifeq ($(wildcard $(BIN)/python),)
$(STAMPS)/venv: force
endif
$(STAMPS)/venv:
	@tools/make_venv.sh "$(PYTHON)"
	@mkdir -p $(STAMPS)
	@rm -f $(STAMPS)/lab $(STAMPS)/dev $(STAMPS)/docs $(STAMPS)/npm
	@pwd > $@

# Not compiled beforehand: that is half of pip's work, and Python compiles what it imports.
$(STAMPS)/lab: $(STAMPS)/venv pyproject.toml $(FRONT_END)
	@echo "installing gcs_lab and JupyterLab into .venv (a minute or two the first time)"
	@$(BIN)/python -m pip install --quiet --no-compile --use-pep517 --editable '.[lab]'
	@$(BIN)/python tools/link_lab_extension.py
	@touch $@

$(STAMPS)/dev: $(STAMPS)/venv pyproject.toml $(FRONT_END)
	@echo "installing gcs_lab, JupyterLab, and what tests and lint need into .venv (a minute or two the first time)"
	@$(BIN)/python -m pip install --quiet --use-pep517 --editable '.[dev]'
	@$(BIN)/python tools/link_lab_extension.py
	@touch $@ $(STAMPS)/lab $(STAMPS)/docs

$(STAMPS)/docs: $(STAMPS)/venv pyproject.toml $(FRONT_END)
	@echo "installing gcs_lab, JupyterLab, and what the documentation needs into .venv (a minute or two the first time)"
	@$(BIN)/python -m pip install --quiet --use-pep517 --editable '.[docs]'
	@$(BIN)/python tools/link_lab_extension.py
	@touch $@ $(STAMPS)/lab
