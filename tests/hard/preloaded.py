"""What every process of `child` needs, imported once."""

import dlt.destinations.impl.duckdb.configuration
import dlt.destinations.impl.duckdb.duck
import dlt.destinations.impl.duckdb.factory
import dlt.normalize.normalize
import dlt.pipeline.pipeline  # noqa: F401
