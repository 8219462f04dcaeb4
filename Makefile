# The commands that stay stable. Each sets up what it needs first, which takes a second when all is there.
# ARGS goes to the command: make run ARGS=--once

.PHONY: run setup test test-long chaos check

run:
	@.ci/setup run
	@.venv/bin/callflow demo $(ARGS)

setup:
	@.ci/setup test

# unit, scenarios, histories, integration, asterisk …: the time of each is printed at the end
test:
	@.ci/setup test
	@.venv/bin/python tests/run_layers.py $(ARGS)

# the same random histories as in `make test`, many more of them, and the tests that take minutes
test-long:
	@.ci/setup test
	@.venv/bin/python tests/run_layers.py --long $(ARGS)

# faults strike a whole installation while people call; ARGS="--short --json", ARGS="--kills 200" …
chaos:
	@.ci/setup test >&2
	@.venv/bin/python -m tests.chaos.run $(ARGS)

check:
	@.ci/setup test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
