"""What came out: a rule, whether it is kept, and why not; for people, and as JUnit for whatever runs tests."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    """One thing that was looked at."""

    what: str
    """The rule, or the line."""
    rule: str
    """What is asked, in words."""
    faults: tuple[str, ...] = ()
    """Why it is not kept; empty: it is."""


def junit(verdicts: Sequence[Verdict], suite: str, file: Path) -> None:
    """Write the verdicts as a JUnit file."""
    bad = sum(bool(one.faults) for one in verdicts)
    root = ET.Element("testsuite", name=suite, tests=str(len(verdicts)), failures=str(bad), errors="0")
    for one in verdicts:
        case = ET.SubElement(root, "testcase", classname=suite, name=one.what)
        if one.faults:
            ET.SubElement(case, "failure", message=one.rule).text = "\n".join(one.faults)
    ET.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def told(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the lines for people: what is wrong, then how many of how many are kept."""
    lines = []
    for one in verdicts:
        if one.faults:
            lines += [f"{one.what}: {one.rule}", *(f"    {fault}" for fault in one.faults)]
    return [*lines, f"{sum(not one.faults for one in verdicts)} of {len(verdicts)} kept"]
