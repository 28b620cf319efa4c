"""What the region knows of traffickers, documents, routes and places, and whom it tells."""
