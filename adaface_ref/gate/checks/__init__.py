"""The checks: what each asks of a head, and what it found."""
