"""What the head does along the cosine, and where it ends: invariants, poles, jumps."""
