"""Care for victims across borders: services, referrals that cannot go silent, return."""
