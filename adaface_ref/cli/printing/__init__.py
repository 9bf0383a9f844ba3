"""What a terminal shows, at 80 columns: results and lists as text."""
