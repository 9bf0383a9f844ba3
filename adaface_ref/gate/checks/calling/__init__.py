"""Checks that a way of calling a head changes nothing that it gives."""
