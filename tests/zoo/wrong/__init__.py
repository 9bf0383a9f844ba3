"""Heads with a known fault, each with the check that must catch it."""
