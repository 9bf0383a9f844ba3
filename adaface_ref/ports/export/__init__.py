"""The specification written out in other languages."""
