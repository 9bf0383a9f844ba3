"""The languages that the spec is written in, a file each."""

LANGUAGES = ("c", "rust", "javascript", "fpcore")
"""Their names, which are the files' too; nothing is imported before it is asked for."""
