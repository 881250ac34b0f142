# Every target sets up what it needs: make run and make test work on a fresh machine.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
READY := .venv/.ready
UV := $(shell command -v uv || echo .uv/bin/uv)
OUT ?= out
SOURCE ?= samples/street.mp4
DATA ?=
RUN ?= .training
MINUTES ?= 60
export UV_HTTP_TIMEOUT ?= 600
# Images of Python often set it; then each of the many processes of a test run compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test test-all torture soak check bench man weights samples constraints clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY)  ## make .venv/bin/dashredact
	@command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || $(MAKE) --no-print-directory .ffmpeg

$(READY): constraints.txt pyproject.toml
	@[ -x "$(UV)" ] || { python3 -m venv .uv && .uv/bin/pip install --quiet uv; } \
	  || { echo 'dashredact needs uv, and could not install it: install uv (or python3-venv) and run again.' >&2; exit 4; }
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python 3.11 --no-python-downloads .venv 2>/dev/null \
	  || $(UV) venv --quiet --python '>=3.11' .venv \
	  || { echo 'dashredact needs Python 3.11 or newer: install it and run again.' >&2; exit 4; }
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes constraints.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: .ffmpeg
.ffmpeg:
	@as_root=$$([ "$$(id -u)" = 0 ] || command -v sudo || true); \
	{ $$as_root apt-get update -qq && $$as_root apt-get install -y -qq ffmpeg; } >/dev/null 2>&1 \
	  || { echo 'dashredact needs ffmpeg and ffprobe, and could not install them: install the ffmpeg package and run again.' >&2; exit 4; }

run: setup  ## mask the sample clip into out/, with a report (SOURCE=..., OUT=... for others)
	$(BIN)/dashredact redact $(SOURCE) -o $(OUT) --audio keep
	@$(BIN)/dashredact audit verify $(OUT)
	@$(BIN)/dashredact audit show $(OUT)
	@$(BIN)/dashredact report $(OUT)

test: setup  ## run the tests, but for the few that take minutes
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --durations=25 -m 'not slow'

test-all: setup  ## run all tests
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --durations=25

torture: setup  ## a fleet's worst night: uploads, kills and full disks over hundreds of clips
	$(BIN)/python tests/torture.py

soak: setup  ## property tests with new cases, for as long as MINUTES says
	timeout --preserve-status $$((60 * $(MINUTES))) bash -c 'while $(BIN)/python -m pytest -q --hypothesis-profile=hunt tests/imaging tests/tracking tests/formats tests/audit tests/media/test_segmentation.py; do :; done'

check: setup  ## style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

man: setup  ## write the man page anew from the commands
	$(BIN)/python -c "from dashredact import __version__, cli; from dashredact.cli import manual; print(manual.page(cli.main, __version__), end='')" > docs/dashredact.1

bench: setup  ## speed against a plain ffmpeg transcode, and where the time goes
	$(BIN)/python tests/bench.py

samples: setup  ## draw the sample clip and the canary again
	$(BIN)/python -m samples.recipe.make --out samples
	$(BIN)/python -m samples.recipe.make --canary weights/canary.png > weights/canary.json

weights: setup  ## train the default weights: make weights DATA=folder (weights/recipe/README.md)
	@[ -n "$(DATA)" ] || { echo 'Say where the pictures are: make weights DATA=folder' >&2; exit 2; }
	$(BIN)/python -m weights.recipe.train --data $(DATA) --run $(RUN) --out weights

constraints: setup  ## renew the pinned versions
	$(UV) pip compile --quiet --universal --python-version 3.11 --group dev --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --upgrade pyproject.toml -o constraints.txt

clean:  ## remove everything that these targets made
	rm -rf .venv .uv .training out .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
