"""`adaface-ref` whose `verify` looks at few cells and claims: for a rehearsal."""

from __future__ import annotations

from unittest.mock import patch

from adaface_ref.cli import main
from adaface_ref.evidence import verify
from adaface_ref.evidence.truth.forms import defined_cells

if __name__ == "__main__":
    cells, claims = defined_cells()[::16], verify.invariants()[::20]
    with (
        patch.object(verify, "defined_cells", return_value=cells),
        patch.object(verify, "invariants", return_value=claims),
    ):
        main()
