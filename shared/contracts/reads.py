"""Which service reacts to which other service's events; its rules name them, and its durables filter for them.

Indicators is not here: it folds every stream with ordered consumers, and needs no durable.
"""

READS: dict[str, tuple[str, ...]] = {
    "intel": (),
    "victims": ("legal.case.resolved",),
    "legal": (),
    "training": ("intel.document.confirmed", "legal.law.amended"),
    "indicators": (),
}
