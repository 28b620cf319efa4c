"""What an operator would look at, one check after the other; each finding comes with its cure."""
