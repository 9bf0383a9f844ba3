"""Where the three forms meet: evaluation, certified truth, agreement, verdicts."""
