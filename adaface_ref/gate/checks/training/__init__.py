"""What training relies on: normalised weights, the reduction, the norm's gradient."""
