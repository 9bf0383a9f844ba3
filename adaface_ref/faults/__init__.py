"""Known faults of loss heads as data, and the one likely cause that explains values."""
