# Two commands for a fresh machine: make demo, make test. Each sets itself up first, with uv where there is
# one and with a venv and pip where there isn't.
.PHONY: demo test test-long lint setup docs bench-requests clean

RUN := .venv/bin/
STAMP := .venv/.leadhouse-ready

demo: $(STAMP)
	@$(RUN)leadhouse demo

test: $(STAMP)
	$(RUN)pytest -q -n 2 -m "not long"

# The kill, fault and drift matrices, and property tests over tens of thousands of worlds.
test-long: $(STAMP)
	LEADHOUSE_LONG=1 $(RUN)pytest -q -n 2 -m long
	LEADHOUSE_LONG=1 $(RUN)pytest -q tests/core/test_scan_properties.py

lint: $(STAMP)
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy

setup: $(STAMP)

$(STAMP): pyproject.toml uv.lock
	@if command -v uv >/dev/null 2>&1; then uv sync --quiet; else sh .ci/setup-with-pip; fi
	@touch $@

clean:
	rm -rf .venv leadhouse-demo .leadhouse

# What the README says syncs cost in requests.
bench-requests: $(STAMP)
	@$(RUN)python -m tests.bench.request_counts

# The generated parts of the READMEs.
docs: $(STAMP)
	@$(RUN)python -m sources.leadpanther.readme
