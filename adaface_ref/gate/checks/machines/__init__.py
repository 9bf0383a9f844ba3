"""Whether a head is the same on CUDA, compiled, and under autocast."""
