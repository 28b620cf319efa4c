"""Proving that log and stream are copies of each other, and making either anew from the other."""
