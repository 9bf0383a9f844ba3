"""Large scales, narrow dtypes, and the dtype of the answer."""
