"""Figures, objectives and milestones for tools."""

from collections.abc import Sequence

from starlette.requests import Request

from services.indicators.figures.milestones import occurrences
from services.indicators.figures.objectives import AreaTold, told
from services.indicators.publish.answers import Detail, Due, Summary, detail, due, summary
from services.indicators.publish.asking import Dated, OneRow
from services.indicators.publish.view import View
from shared.run.addresses import Address, Nothing


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the figures."""

    async def indicators(request: Request, asked: Dated) -> list[Summary]:
        """List every row of the Plan in one figure, in the Plan's order."""
        return [summary(one, view.state().uncounted) for one in view.all_figures(request, asked.as_of)]

    async def indicator(request: Request, asked: OneRow) -> Detail:
        """Give one row of the Plan with a cell for each country and label."""
        return detail(view.figures(request, asked.id, asked.as_of))

    async def objectives(request: Request, asked: Dated) -> list[AreaTold]:
        """Give the areas with all below them: what the Plan says, what carries it, how far it is met."""
        return told(view.plan, view.all_figures(request, asked.as_of))

    async def milestones(_request: Request, _asked: Nothing) -> list[Due]:
        """List every due date of every milestone, in the Plan's order."""
        now = view.now()
        return [due(one, now) for one in occurrences(view.plan, view.state())]

    return [
        Address("/api/indicators", indicators, "Figures", exact=True),
        Address("/api/indicators/{id}", indicator, "Figures", refuses=[404], exact=True),
        Address("/api/objectives", objectives, "Figures", exact=True),
        Address("/api/milestones", milestones, "Figures"),
    ]
