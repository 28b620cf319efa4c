"""What is shown of the figures: pages, JSON, metrics, quarterly reports, and the events that tell of them."""
