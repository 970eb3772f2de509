import sources.leadpanther  # noqa: F401  (until the engine asks vendors: imported the other way round it is a circle)
