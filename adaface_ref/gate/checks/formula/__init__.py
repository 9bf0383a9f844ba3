"""Whether the head is the loss: its profile, its values, its margin."""
