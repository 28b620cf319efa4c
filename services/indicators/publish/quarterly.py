"""The page of a quarter's report: a summary for ministers, what changed, each area, each country, and how it is made.

Everything on it stands in reports as they were published: this one, and those that it is compared with.
"""

from collections.abc import Sequence

from services.indicators.planned.plan import Plan
from services.indicators.planned.schedule import quarter
from services.indicators.publish import pages
from services.indicators.publish.report_parts import Parts, Shown
from services.indicators.publish.store import Published
from services.indicators.publish.words import Words, words

EVALUATION = "indicators.evaluation.published"
"""What is done when the Plan is evaluated as a whole: "una evaluación comprensiva" of mid-2005 (the Plan, part II)."""


def page(lang: str, plan: Plan, shown: Shown) -> str:
    """Return the page of a report."""
    said, one = words(lang, plan), shown.one
    parts = Parts(said, plan, shown)
    return pages.render(
        "report.html",
        lang,
        plan,
        keep=f"revision={shown.asked}" if shown.asked else "",
        evaluation=shown.evaluation,
        objectives=list(parts.objectives()) if shown.evaluation else [],
        quarter=one.quarter,
        of_quarter=said.quarter(one.quarter),
        revision=one.revision,
        day=said.day(one.as_of),
        suppressed=said.counted("hidden", one.suppressed),
        events=[(said.value("service", service), said.number(last)) for service, last in one.events.items()],
        hashes=[(said.value("service", service), digest) for service, digest in one.hashes.items()],
        checkpoints=[
            (said.value("service", service), *_signed(said, text)) for service, text in one.checkpoints.items()
        ],
        checksum=shown.checksum,
        answer=parts.answer(),
        sentences=[text for text in parts.sentences() if text],
        score=parts.score(),
        areas=list(parts.areas()),
        moved=list(parts.moved()),
        compared=[text for text, there in (("year", shown.year), (shown.since, shown.before)) if there],
        issued=said.day(next((each.published for each in shown.revisions if each.revision == one.revision), None)),
        due=list(parts.due()),
        ahead=list(parts.ahead()),
        late=list(parts.late()),
        lacking=list(parts.lacking()),
        countries=list(parts.countries()),
        revisions=list(parts.revisions()),
        revised=list(parts.revised()),
    )


def _signed(said: Words, text: str) -> tuple[str, str]:
    """Return of how many rows a checkpoint is, and the root over them."""
    _, size, root, *_ = text.split("\n")
    return said.number(int(size)), root


def evaluated(plan: Plan) -> str | None:
    """Return the quarter (`2005-Q2`) whose end the Plan sets for its comprehensive evaluation; None: it sets none."""
    days = [
        one.due for one in plan.milestones.values() if one.due and any(done.event == EVALUATION for done in one.done)
    ]
    return quarter(days[0]) if days else None


def index(lang: str, plan: Plan, held: Sequence[Published]) -> str:
    """Return the page that lists the reports, the latest quarter first."""
    said = words(lang, plan)
    quarters: dict[str, list[Published]] = {}
    for one in held:
        quarters.setdefault(one.quarter, []).append(one)
    lines = [
        {
            "quarter": name,
            "name": said.quarter(name),
            "revisions": [one.revision for one in each],
            "day": said.day(each[-1].published),
        }
        for name, each in sorted(quarters.items(), reverse=True)
    ]
    return pages.render("reports.html", lang, plan, quarters=lines, evaluation=evaluated(plan) in quarters)


def quarter_before(quarter: str, quarters: int = 1) -> str:
    """Return the name of a quarter so many before: `2004-Q1`, 1 -> `2003-Q4`."""
    number = int(quarter[:4]) * 4 + int(quarter[-1]) - 1 - quarters
    return f"{number // 4:04}-Q{number % 4 + 1}"


def latest(held: Sequence[Published], until: str) -> list[str]:
    """Return the quarters that have a report, up to one, in order."""
    return sorted({one.quarter for one in held if one.quarter <= until})
