"""The presidency's desk: its page, the agenda of the next meeting, due dates as a calendar, and a country's key."""

from collections.abc import Sequence
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.indicators.publish import desk, ical
from services.indicators.publish.access import who
from services.indicators.publish.asking import BY_LANGUAGE, Page, language, page, private
from services.indicators.publish.desk import OnDesk
from services.indicators.publish.view import KEPT_KEY, View
from shared.contracts.vocabulary import MEMBERS
from shared.run.addresses import HTML, Address, Gives
from shared.run.refusals import Refused

KEY_BYTES_MAX = 1000
"""Of a form with a key."""
KEPT_S = 8 * 3600
"""So long a browser keeps a key."""
ICAL = Gives(ical.MEDIA)


def addresses(view: View) -> Sequence[Address]:
    """Return the addresses of the desk."""

    async def on_desk(request: Request) -> OnDesk:
        on = OnDesk(
            seen=await view.looked(exact=False),
            commitments=await view.owed(),
            partly=view.commitments is not None and view.commitments.partly,
            assigned=await view.seats(),
            asker=view.reader(request),
        )
        if not (view.escalations and on.own(view.now())):
            return on
        waiting = await view.escalations.to(on.asker, desk.meeting(view.now()))
        return msgspec.structs.replace(on, escalated=waiting)

    async def shown(request: Request, _asked: Page) -> Response:
        """Show what lies on the presidency's desk: the next meeting, commitments, milestones, reminders, seats."""
        text = desk.desk(language(request), view.plan, view.state(), view.now(), await on_desk(request))
        return private(page(request, text), own=bool(view.reader(request)))

    async def agenda(request: Request, _asked: Page) -> Response:
        """Show the agenda of the next monthly meeting, to be printed."""
        text = desk.agenda(language(request), view.plan, view.state(), view.now(), await on_desk(request))
        return private(page(request, text), own=bool(view.reader(request)))

    async def calendar(request: Request, _asked: Page) -> Response:
        """Give the due dates ahead, of milestones and commitments, for a calendar program."""
        lang, on = language(request), await on_desk(request)
        text = desk.calendar(lang, view.plan, view.state(), view.now(), on)
        return Response(text, media_type=ical.MEDIA, headers=BY_LANGUAGE)

    async def key(request: Request, _asked: Page) -> Response:
        """Keep a country's token in the browser, for its own part of pages; an empty one is forgotten.

        The body is a form with the field `key`. What is no country's token is refused (403).
        """
        if int(request.headers.get("content-length") or KEY_BYTES_MAX + 1) > KEY_BYTES_MAX:
            raise Refused(403, "no_such_key")
        given = parse_qs((await request.body()).decode("utf-8", "replace")).get("key", [""])[0].strip()
        if given and who(given, view.token) not in MEMBERS:
            raise Refused(403, "no_such_key")
        answer = RedirectResponse(f"/desk?lang={language(request)}", 303)
        secure = request.url.scheme == "https"
        if given:
            answer.set_cookie(KEPT_KEY, given, max_age=KEPT_S, httponly=True, samesite="strict", secure=secure)
        else:
            answer.delete_cookie(KEPT_KEY, httponly=True, samesite="strict", secure=secure)
        return answer

    back = Gives("", status=303, says="It is kept, or forgotten; `/desk` shows the own part.")
    return [
        Address("/desk", shown, "Pages", gives=[HTML], refuses=[503]),
        Address("/desk/agenda", agenda, "Pages", gives=[HTML], refuses=[503]),
        Address("/desk/calendar.ics", calendar, "Pages", gives=[ICAL], refuses=[503]),
        Address("/desk/key", key, "Pages", "POST", gives=[back], refuses=[403]),
    ]
