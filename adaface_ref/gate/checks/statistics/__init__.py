"""Running statistics, and the norms that they follow."""
