"""Proof by identity or by intervals, with a certificate that a second engine checks."""
