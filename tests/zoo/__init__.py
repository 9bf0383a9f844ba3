"""Heads to judge: exact ones written in several ways, and planted wrong ones."""
