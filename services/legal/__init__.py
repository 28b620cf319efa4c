"""Treaties, laws, detentions, cases, and the protection of witnesses."""
