"""Running a head's code without letting it change ours."""
