"""What compose.yaml needs besides the images."""
