"""Benchmarks: what Instar promises about time, measured beside a limit or a peer in the same run."""
