"""Pictures of the gradient. Importing it costs nothing."""
