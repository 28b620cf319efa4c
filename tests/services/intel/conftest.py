from tests.services.intel.desk import desk

__all__ = ["desk"]
