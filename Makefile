# obspy-tng: `make help` lists what there is. A fresh machine needs Python >= 3.10 and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
DATA ?= ../shared/data
PIP_FLAGS ?=
ARGS ?=

PY = $(VENV)/bin/python
PIP = $(PY) -m pip --disable-pip-version-check install --quiet -c constraints.txt $(PIP_FLAGS)
HERE := $(subst /Makefile,,$(strip $(MAKEFILE_LIST)))

ifneq ($(HERE),Makefile)
# called as `make -f somewhere/Makefile demo`: work where the Makefile is
GOALS := $(or $(MAKECMDGOALS),help)
.PHONY: $(GOALS)
$(GOALS):
	@$(MAKE) --no-print-directory -C "$(HERE)" $@
else

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check format docs bench default clean

help:
	@echo "make demo     install, generate 20 records for station 0205, write them and a figure to demo/"
	@echo "make test     install, run the test suite            (ARGS=-x adds options of pytest)"
	@echo "make check    ruff: mistakes and style"
	@echo "make format   ruff: mend and format in place"
	@echo "make docs     build the documentation to docs/_build/html, warnings are errors"
	@echo "make bench    run the benchmarks, a table each"
	@echo "make default  train and export the shipped default anew from DATA (see docs: training)"
	@echo "make clean    remove .venv and everything built"
	@echo
	@echo "PYTHON=$(PYTHON)  VENV=$(VENV)  DATA=$(DATA)"
	@echo "Linux without a GPU: PIP_FLAGS='--extra-index-url https://download.pytorch.org/whl/cpu' leaves CUDA out"

# A stamp per extra: installed once, again when metadata or versions change.
$(VENV)/created.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed, $(PYTHON) is " + sys.version.split()[0] + "; try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv --clear "$(VENV)" || { echo "python -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/plot.stamp $(VENV)/dev.stamp $(VENV)/docs.stamp $(VENV)/bench.stamp: $(VENV)/%.stamp: $(VENV)/created.stamp setup.cfg pyproject.toml constraints.txt
	@echo "installing obspy-tng[$*] into $(VENV) (the first time takes minutes)"
	@$(PIP) -e ".[$*]"
	@touch $@

demo: $(VENV)/plot.stamp
	$(PY) examples/demo.py --out demo $(ARGS)

test: $(VENV)/dev.stamp
	$(PY) -m pytest $(ARGS)

check: $(VENV)/dev.stamp
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(VENV)/dev.stamp
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: $(VENV)/docs.stamp
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html $(ARGS)
	@echo "docs/_build/html/index.html"

# these train networks, or need ones that were trained for them
TRAINING = $(addprefix benchmarks/,make_default.py cvae.py heggs.py)

bench: $(VENV)/bench.stamp
	@set -e; for script in $(filter-out $(TRAINING),$(sort $(wildcard benchmarks/*.py))); do \
		echo "== $(PY) $$script"; $(PY) $$script $(ARGS); done

default: $(VENV)/dev.stamp
	$(PY) benchmarks/make_default.py --data "$(DATA)" $(ARGS)

clean:
	rm -rf "$(VENV)" demo build dist docs/_build docs/gallery docs/api/generated *.egg-info .pytest_cache .ruff_cache

endif
