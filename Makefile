# Two commands for a fresh machine: make demo, make test. Each sets itself up first, with uv where there is
# one and with a venv and pip where there isn't.
.PHONY: demo test test-all test-matrix lint setup docs bench bench-growth bench-network bench-requests bench-scale compare promises clean

RUN := .venv/bin/
STAMP := .venv/.leadhouse-ready
# For two cores: a third of the time a test waits for a server, a lock or a process.
WORKERS := 3
AIRFLOW_STAMP := .venv/.airflow-ready

demo: $(STAMP)
	@$(RUN)leadhouse demo

test: $(STAMP)
	$(RUN)pytest -q -n $(WORKERS) -m "not long"

# The rest: every vendor, each kind of destination, kills, faults and drift, canaries, property tests over thousands of
# worlds, a real browser, a real Airflow.
test-all: $(AIRFLOW_STAMP)
	LEADHOUSE_LONG=1 $(RUN)pytest -q -n $(WORKERS) -m long --ignore tests/airflow
	LEADHOUSE_LONG=1 $(RUN)pytest -q -n $(WORKERS) tests/core/listing/test_scan_properties.py tests/core/listing/test_token_properties.py
	$(RUN)pytest -q tests/airflow

# All cases of the long ones, of which else one or two stand for the others: every destination, all kinds of trouble
# at all places, more kills and worlds: hours.
test-matrix: $(AIRFLOW_STAMP)
	LEADHOUSE_FULL=1 $(RUN)pytest -q -n $(WORKERS) -m long --ignore tests/airflow
	LEADHOUSE_FULL=1 $(RUN)pytest -q -n $(WORKERS) tests/core/listing/test_scan_properties.py tests/core/listing/test_token_properties.py
	LEADHOUSE_FULL=1 $(RUN)pytest -q tests/airflow

lint: $(STAMP)
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy

setup: $(STAMP)

$(STAMP): pyproject.toml uv.lock
	@if command -v uv >/dev/null 2>&1; then uv sync --quiet; else sh .ci/setup-with-pip; fi
	@touch $@

$(AIRFLOW_STAMP): $(STAMP)
	@if command -v uv >/dev/null 2>&1; then uv sync --quiet --group airflow; else sh .ci/setup-with-pip airflow; fi
	@touch $@

# Which promise holds in which destination, tried out and written into pipelines/storage/README.md; AT=sqlite: in one.
promises: $(STAMP)
	LEADHOUSE_FULL=1 LEADHOUSE_PROMISES=1 $(RUN)pytest -q tests/destinations/test_conformance.py $(if $(AT),-k "[$(AT)]")

clean:
	rm -rf .venv leadhouse-demo .leadhouse

# Beside a bare download and dlt's rest_api, on a machine that does nothing else.
bench: $(STAMP)
	@$(RUN)python -m tests.bench.speed

# Syncs on top of what is loaded; syncs against servers of several kinds.
bench-growth: $(STAMP)
	@$(RUN)python -m tests.bench.growth

bench-network: $(STAMP)
	@$(RUN)python -m tests.bench.network

# Beside dlt's rest_api, PyAirbyte and singer-sdk, each in an environment of its own; writes tests/bench/COMPARISON.md.
compare: $(STAMP)
	@$(RUN)python -m tests.bench.compare

# What the README says syncs cost in requests, and what 500 clients need.
bench-requests: $(STAMP)
	@$(RUN)python -m tests.bench.request_counts

bench-scale: $(STAMP)
	@$(RUN)python -m tests.bench.scale

# .dlt/config.toml, and the generated parts of the READMEs.
docs: $(STAMP)
	@$(RUN)python -m pipelines.documentation
