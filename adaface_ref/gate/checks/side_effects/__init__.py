"""What a head leaves changed behind it."""
