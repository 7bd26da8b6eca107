# Two commands do everything on a fresh machine:  make check  and  make test.
# They need Python >= 3.11, make and a network; the second run installs nothing.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
export OMP_NUM_THREADS ?= 1
unexport PYTHONDONTWRITEBYTECODE  # the tests start many processes; each would compile every module

.PHONY: check test docs lint bench setup clean

check: setup  ## derive, integrate, train and judge the original GAN; writes report/index.html
	$(BIN)/gantheory check --out report

test: check lint docs  ## the same, then the style, the types, the docs and the whole test suite
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations 10

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: setup  ## build the documentation, warnings as errors; writes docs/_build/index.html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build
	@echo "documentation: $(CURDIR)/docs/_build/index.html"

bench: setup  ## measure every figure that needs neither a network nor a GPU; about a quarter to half an hour
	$(BIN)/python -m benchmarks --out figures

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gantheory needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "Install it, or name one: make check PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing; on Debian or Ubuntu: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[all]' || { \
	  echo "The packages could not be installed: is there a network, and room for torch?"; exit 1; }
	@touch $@

clean:
	rm -rf $(VENV) report figures docs/_build docs/generated .pytest_cache .mypy_cache .ruff_cache .hypothesis
