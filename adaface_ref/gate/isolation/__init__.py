"""A head judged in a process of its own, watched from outside."""
