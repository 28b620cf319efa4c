"""The synthetic region: eleven countries that play the Plan from its first day, as real countries would report it."""
