"""A claim laid out to be decided: its box, its cases, three-valued logic."""
