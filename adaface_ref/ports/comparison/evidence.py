"""What the checks of a cell look at: the port, and its values against the truth."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adaface_ref.ports.comparison.asker import Asker
from adaface_ref.ports.comparison.values import PortTally, compare_values
from adaface_ref.ports.pipe.protocol import PortError


@dataclass(frozen=True)
class PortEvidence:
    """One cell of a port.

    Args:
        asker: the port and the cell.
        tallies: what comparing each quantity that is asked came to.
    """

    asker: Asker
    tallies: Mapping[str, PortTally]


def gather(asker: Asker, progress: Callable[[float], None]) -> PortEvidence:
    """Ask a port about a cell, and compare what it answers.

    Args:
        asker: the port and the cell.
        progress: called with the share done.

    Returns:
        What the checks look at; a port that failed has failed in it, too.
    """
    tallies = {quantity: PortTally() for quantity in asker.quantities}
    with contextlib.suppress(PortError):  # its port remembers
        compare_values(asker, tallies, progress)
    return PortEvidence(asker, tallies)
