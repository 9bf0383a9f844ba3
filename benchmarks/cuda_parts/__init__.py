"""The parts of `benchmarks/on_cuda.py`, each run in a process of its own."""
