"""Ports to be judged: exact, and wrong in every planted way."""
