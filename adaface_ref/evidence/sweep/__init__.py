"""Every cosine of a dtype: float64 with its error bound, doubtful ones by balls."""
