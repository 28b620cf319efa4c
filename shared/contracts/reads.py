"""Which service reacts to which other service's events; its rules name them, and its durables filter for them.

Indicators is not here: it folds every stream with ordered consumers, and needs no durable.
"""

READS: dict[str, tuple[str, ...]] = {
    "intel": (
        "legal.person.corrected",
        "legal.person.detained",
        "legal.person.retracted",
        "victims.victim.corrected",
        "victims.victim.identified",
        "victims.victim.retracted",
    ),
    "victims": (
        "intel.contactpoint.designated",
        "intel.contactpoint.replaced",
        "intel.contactpoint.vacated",
        "legal.case.corrected",
        "legal.case.resolved",
        "legal.case.retracted",
        "legal.law.amended",
        "legal.law.corrected",
        "legal.law.retracted",
        "legal.procedure.corrected",
        "legal.procedure.issued",
        "legal.procedure.retracted",
    ),
    "legal": (
        "intel.entryrequirement.changed",
        "intel.entryrequirement.corrected",
        "intel.entryrequirement.declared",
        "intel.entryrequirement.retracted",
        "training.complaint.corrected",
        "training.complaint.resolved",
        "training.complaint.retracted",
        "training.report.filed",
    ),
    "training": (
        "intel.document.confirmed",
        "intel.document.corrected",
        "intel.document.retracted",
        "intel.entryrequirement.changed",
        "intel.entryrequirement.corrected",
        "intel.entryrequirement.retracted",
        "intel.operation.corrected",
        "intel.operation.evaluated",
        "intel.operation.retracted",
        "legal.law.amended",
        "legal.law.corrected",
        "legal.law.repealed",
        "legal.law.retracted",
        "legal.procedure.corrected",
        "legal.procedure.issued",
        "legal.procedure.retracted",
    ),
    "indicators": (),
}
