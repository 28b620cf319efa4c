"""The victims service's tables: one module per group of them."""
