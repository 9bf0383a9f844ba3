"""What a head does with batches: rows, classes, repetition, ignored rows."""
