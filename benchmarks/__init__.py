"""Every figure that the documentation states, measured by anyone with ``python -m benchmarks``."""
