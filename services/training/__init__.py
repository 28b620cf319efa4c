"""A professional migration service: needs, officers, certificates and what makes them stale."""
