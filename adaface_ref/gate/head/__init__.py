"""The user's target: found, built and called through one door."""
