"""A port as a process: the line protocol, its messages, floats as bits."""
