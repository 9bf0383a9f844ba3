"""Self-contained HTML pages: the explorer and the reports."""
