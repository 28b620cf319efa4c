from infra.testkit.plugin import clock, country, figures, other_country

__all__ = ["clock", "country", "figures", "other_country"]
