"""What was measured of a head: its profile, its values, the likely cause."""
