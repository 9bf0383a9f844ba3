"""Running statistics of a head: their policy, found by behaviour, and a model of it."""
