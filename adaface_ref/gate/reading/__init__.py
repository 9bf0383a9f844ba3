"""Reading a head's logits and gradients, through cosines or as a black box."""
