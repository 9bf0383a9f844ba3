"""What a port answers against the truth: questions, values, findings, likely cause."""
