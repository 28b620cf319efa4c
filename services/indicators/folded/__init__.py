"""The fold: the events of all streams become sums by cell and day, declared levels, and earliest times."""
