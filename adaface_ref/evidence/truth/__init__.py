"""Certified values, and how far a computed one may be from them."""
