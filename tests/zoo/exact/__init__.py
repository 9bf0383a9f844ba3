"""Heads that must conform: the formula in every profile, shape and way of calling."""
