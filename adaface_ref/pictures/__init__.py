"""Pictures of the gradient scaling term: what is drawn, computed apart from drawing."""
