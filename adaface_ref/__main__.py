"""`python -m adaface_ref` is `adaface-ref`."""

from __future__ import annotations

from adaface_ref.cli import main

if __name__ == "__main__":
    main()
