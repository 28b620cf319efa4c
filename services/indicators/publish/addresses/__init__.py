"""The HTTP addresses of the board, by subject; each module gives its own as `addresses(view)`."""
