# `make run` and `make test` need git, make and Python 3.10 or newer; they install the rest.

VENV ?= .venv
PORT ?= 8000
WORKERS ?= 2
PYTHONS ?= 3.10 3.11 3.12 3.13
MINUTES ?= 5
SOCKETS ?= 5000

python := $(VENV)/bin/python
live := $(VENV)/.installed-live
dev := $(VENV)/.installed-dev
npm := node_modules/.installed
compared := $(VENV)/.installed-bench
sources := setup.cfg pyproject.toml tools/environment.sh tools/apt.sh

.DEFAULT_GOAL := help
.PHONY: help run test firefox matrix lint pictures bench messages mariadb faults clean

help:
	@echo "make run     serve the example on http://127.0.0.1:$(PORT) (PORT=... for another port)"
	@echo "make test    every check and every test"
	@echo "make firefox the tests in a browser once more, in Firefox"
	@echo "make matrix  the tests that versions matter to, on every supported Python there is, each with a Django"
	@echo "make mariadb the inbox on MariaDB, and connections to it that go dead, which make test leaves out"
	@echo "make faults  everything dies, freezes and comes back, for MINUTES=5 with another SEED each time;"
	@echo "             and SOCKETS=5000 come back at once (1 GB of memory; fewer where there is less)"
	@echo "make lint    the checks alone"
	@echo "make pictures the bell in every state, into screenshots/"
	@echo "make bench   how fast it is, in some minutes"
	@echo "make messages brings the translations in step with the code (LANGUAGES=... adds some)"
	@echo "make clean   remove what these made"

$(live): $(sources)
	@sh tools/environment.sh "$(VENV)" live
	@touch $@

$(dev): $(sources)
	@sh tools/environment.sh "$(VENV)" dev
	@touch $@

$(npm): package.json tools/packages.sh
	@sh tools/packages.sh
	@touch $@

$(compared): $(sources)
	@sh tools/environment.sh "$(VENV)" bench
	@touch $@ $(dev)

run: $(live)
	@$(python) example_project/manage.py migrate --verbosity 0
	@$(python) example_project/manage.py seed
	@echo
	@echo "The example, at two addresses with separate cookies, so that one browser can be two people:"
	@echo "    http://127.0.0.1:$(PORT)"
	@echo "    http://localhost:$(PORT)"
	@echo
	@exec $(python) example_project/manage.py runserver 127.0.0.1:$(PORT)

lint: $(dev)
	@sh tools/services.sh node
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy
	$(VENV)/bin/lint-imports --no-logo
	PROJECT_DATABASE=:memory: $(python) -m django makemigrations --check --dry-run --settings tests.project.settings
	@find static tests -name '*.*js' | sort | xargs -n 1 node --check

test: lint $(npm)
	@sh tools/services.sh
	node --test $$(find tests/browser -name '*.test.*js' | sort)
	$(python) -m pytest tests/example
	$(python) -m tests.services.postgresql $(python) -m pytest -n $(WORKERS) --dist worksteal tests/inbox -k "not RedisBackend"
	$(python) -m pytest -n $(WORKERS) --dist loadgroup

pictures: $(dev)
	@sh tools/services.sh chromium
	$(python) -m tests.e2e.screenshots screenshots
	$(python) -m tests.e2e.readme_picture screenshots

bench: $(compared)
	@sh tools/services.sh
	$(python) -m benchmarks $(BENCH)

messages: $(dev)
	@sh tools/services.sh gettext
	$(python) tools/messages.py $(LANGUAGES)

firefox: $(dev) $(npm)
	@sh tools/services.sh node npm redis firefox
	$(python) -m pytest --browser firefox tests/e2e

matrix:
	@sh tools/services.sh
	@VENV="$(VENV)" WORKERS=$(WORKERS) sh tools/matrix.sh $(PYTHONS)

mariadb: $(dev)
	@sh tools/services.sh mariadb
	$(python) -m tests.services.mariadb $(python) -m pytest -n $(WORKERS) tests/inbox tests/faults/test_dead_mariadb.py -k "not RedisBackend"

faults: $(dev)
	@sh tools/services.sh
	$(python) -m tests.faults --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))
	FAULTS_SOCKETS=$(SOCKETS) $(python) -m pytest tests/faults/test_many_sockets.py

clean:
	rm -rf "$(VENV)" .venv-3.* node_modules build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -f example_project/*.sqlite3 example_project/*.sqlite3-*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
