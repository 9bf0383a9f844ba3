"""Whether what a port answers is the formula's, quantity by quantity."""
