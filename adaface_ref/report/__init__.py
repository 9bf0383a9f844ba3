"""What a judgement found, as text, JSON and the formats of CI systems."""
