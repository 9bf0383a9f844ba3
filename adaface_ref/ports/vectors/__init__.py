"""Test vectors: rows of inputs, certified values, allowed errors and flags."""
