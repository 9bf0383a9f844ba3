"""The search for a counterexample, and the witness that it leaves."""
