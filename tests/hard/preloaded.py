"""What every process of `child` needs, imported once: by itself, each would take 0.4 s of the processor for it."""
# ruff: noqa: E402, F401

from pipelines.process import set_up

set_up()  # as the command does, before Arrow is imported

import dlt.destinations.impl.duckdb.configuration
import dlt.destinations.impl.duckdb.duck
import dlt.destinations.impl.duckdb.factory
import dlt.normalize.normalize
import dlt.pipeline.pipeline

import pipelines.cli
import pipelines.commands.sync
