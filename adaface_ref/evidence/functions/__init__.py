"""Claims that no formula states: running statistics, and recipes as programs in floats.

Each function takes a seed and says what it found. Where it can it compares exactly, in
fractions or in sixty digits; a tolerance is named where it cannot.
"""

from __future__ import annotations

from adaface_ref.evidence.functions import recipe, rivals, statistics
from adaface_ref.evidence.functions.finding import Trial

FUNCTIONS: dict[str, Trial] = {
    trial.function.__name__: trial
    for trial in (*recipe.TRIALS, *statistics.TRIALS, *rivals.TRIALS)
}
"""Functions that decide a claim, by the name that its row gives."""
