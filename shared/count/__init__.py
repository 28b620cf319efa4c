"""Exact counts: what a report opens, closes or takes time, filled into the event by the service that records it."""
