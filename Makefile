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
.PHONY: help demo test check format docs docs-check bench bench-full coverage mutants audit package default clean first-contact

help:
	@echo "make demo     install, generate 20 records for station 0205, write them and a figure to demo/"
	@echo "make test     install, run the test suite            (ARGS=-x adds options of pytest)"
	@echo "make check    ruff: mistakes and style"
	@echo "make format   ruff: mend and format in place"
	@echo "make first-contact  clone and run every command of README and quickstart as written"
	@echo "make docs     build the documentation to docs/_build/html, warnings are errors"
	@echo "make docs-check  docs, then its links, pages, search and copy buttons in headless Chromium"
	@echo "make bench    every number of README measured anew, and speed beside peers and floors (15 min)"
	@echo "make bench-full  the benchmarks at full size, a table each (hours)"
	@echo "make coverage run the test suite and say which lines and branches it does not reach"
	@echo "make mutants  do the tests notice when the code is wrong? (an hour)"
	@echo "make audit    known vulnerabilities in the pinned versions (asks pypi.org)"
	@echo "make package  build wheel and sdist, try both in an environment without the source tree"
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

$(VENV)/plot.stamp $(VENV)/dev.stamp $(VENV)/docs.stamp $(VENV)/bench.stamp $(VENV)/supply.stamp: $(VENV)/%.stamp: $(VENV)/created.stamp setup.cfg pyproject.toml constraints.txt
	@echo "installing obspy-tng[$*] into $(VENV) (the first time takes minutes)"
	@$(PIP) -e ".[$*]"
	@touch $@

demo: $(VENV)/plot.stamp
	$(PY) examples/demo.py --out demo $(ARGS)

test: $(VENV)/dev.stamp
	$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: $(VENV)/dev.stamp
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(VENV)/dev.stamp
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# a clone in an empty folder, an environment of its own, then README and quickstart as written: half an hour
first-contact:
	$(PYTHON) tests/first_contact.py $(ARGS)

docs: $(VENV)/docs.stamp
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html $(ARGS)
	@echo "docs/_build/html/index.html"

docs-check: docs $(VENV)/dev.stamp
	$(PY) docs/check_site.py docs/_build/html

bench: $(VENV)/bench.stamp
	$(PY) benchmarks/speed.py --data "$(DATA)"
	$(PY) benchmarks/claims.py --data "$(DATA)" $(ARGS)

# no script that trains networks or needs ones trained for it (make_default, cvae, heggs), none that takes a machine apart
FULL = afad at_rest conditioning cross_region f0_coverage f0_rule give_away hosts hvsr_archive hvsr_geopsy hvsr_onsets p_onsets \
	hvsr_speed reconstruction reference_architecture site_generation

bench-full: $(VENV)/bench.stamp
	@set -e; for script in $(FULL); do \
		echo "== $(PY) benchmarks/$$script.py"; $(PY) benchmarks/$$script.py $(ARGS); done

# the processes that tests start are counted, too: see [coverage:run] in setup.cfg
coverage: $(VENV)/dev.stamp
	$(PY) -m pytest --cov --cov-report=term-missing:skip-covered $(ARGS)

mutants: $(VENV)/dev.stamp
	$(PY) benchmarks/mutants.py $(ARGS)

audit: $(VENV)/supply.stamp
	$(PY) -m pip_audit --strict --disable-pip --no-deps -r constraints.txt $(ARGS)

package: $(VENV)/supply.stamp
	rm -rf dist
	$(PY) -m build --outdir dist
	PIP_FLAGS="$(PIP_FLAGS)" $(PY) tests/installed.py dist

default: $(VENV)/dev.stamp
	$(PY) benchmarks/make_default.py --data "$(DATA)" $(ARGS)

clean:
	rm -rf "$(VENV)" demo build dist docs/_build docs/gallery docs/api/generated *.egg-info .pytest_cache .ruff_cache .coverage*

endif
