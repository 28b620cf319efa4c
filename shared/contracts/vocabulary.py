"""Closed lists of values, with their sources. (Draft: the full file replaces this.)"""

from typing import Literal

Country = Literal["BLZ", "CAN", "CRI", "DOM", "SLV", "GTM", "HND", "MEX", "NIC", "PAN", "USA"]
Addressee = Literal["BLZ", "CAN", "CRI", "DOM", "SLV", "GTM", "HND", "MEX", "NIC", "PAN", "USA", "REG"]
MEMBERS: tuple[Country, ...] = ("BLZ", "CAN", "CRI", "DOM", "SLV", "GTM", "HND", "MEX", "NIC", "PAN", "USA")
REGION: Literal["REG"] = "REG"
Reporter = Literal["immigration", "police"]
RetractionReason = Literal["mistaken", "duplicate", "unlawful", "other"]
