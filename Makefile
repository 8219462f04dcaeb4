# The commands that stay stable. Each sets up what it needs first, which takes a second when all is there.
# ARGS goes to the command: make run ARGS=--once

.PHONY: run setup test test-long check

run:
	@.ci/setup run
	@.venv/bin/callflow demo $(ARGS)

setup:
	@.ci/setup test

# unit, scenarios, histories, integration, asterisk …: the time of each is printed at the end
test:
	@.ci/setup test
	@.venv/bin/python tests/run_layers.py $(ARGS)

# the same random histories as in `make test`, many more of them
test-long:
	@.ci/setup test
	CALLFLOW_HISTORIES=5000 .venv/bin/pytest tests/scenarios

check:
	@.ci/setup test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
