"""Keys and certificates: the region's authority, and what each principal and server has of it."""
