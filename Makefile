# make           install, then run the whole pipeline on the embedded sample
# make install   the environment in .venv alone; GPU=1 brings the CUDA libraries
# make test      lint, types and all tests
# make test-fast the tests without servers, pipelines and Keras
# make experiments  a table of DVC's experiments: model, headline numbers, and params that differ
# make ui        MLflow's pages on http://127.0.0.1:5000
# make demo      a page that judges pictures on http://127.0.0.1:7860
# make lock      both locks anew from pyproject.toml; needs uv (https://docs.astral.sh/uv)
# make help      these lines

PYTHON ?= python3
LOCK := requirements$(if $(GPU),-cuda).lock
INSTALLED := .venv/.installed$(if $(GPU),-cuda)
PYTEST := pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: repro install test test-fast experiments ui demo lock help

repro: install
	dvc repro

install: $(INSTALLED)

# Nothing is resolved anew: the lock is complete, and pip would refuse what its overrides allow.
$(INSTALLED): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "realart needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make PYTHON=python3.11")'
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo "installing the packages of $(LOCK) into .venv: 4.3 GB$(if $(GPU), and the CUDA libraries), a few minutes"
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(LOCK)
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

test: install
	ruff check
	ruff format --check
	mypy
	$(PYTEST)

test-fast: install
	$(PYTEST) -m "not slow"

# All else that DVC would show is what they have in common, and digests of files.
experiments: install
	dvc exp show --only-changed --keep '^(model|(oof|test)\.(accuracy|auc))$$' --drop '^(Created|params\.yaml|(data|metrics|models|realart|stages)(/.*)?)$$'

ui: install
	realart ui

demo: install
	realart demo

lock:
	for extra in "" "--extra cuda"; do \
	  uv pip compile pyproject.toml --group dev --extra c2pa --extra dask --extra demo --extra remotes --extra server $$extra --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet \
	    --output-file requirements$${extra:+-cuda}.lock; \
	done

help:
	@sed -n 's/^# make/make/p' Makefile
