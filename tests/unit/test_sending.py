import gzip

import pytest
from starlette.requests import Request
from starlette.responses import Response

from shared.run.sending import APART_FROM, sent

LONG = b"crm_indicator_value 1.0\n" * 100


def asking(**headers):
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": told})


@pytest.mark.parametrize("body", [LONG, LONG * (APART_FROM // len(LONG) + 1)])
@pytest.mark.parametrize(
    ("accepts", "compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, br", False),
        ("x-gzip", False),
    ],
)
async def test_what_is_long_is_compressed_where_that_is_taken(body, accepts, compressed):
    answer = await sent(asking(accept_encoding=accepts), Response(body))
    assert (answer.headers.get("content-encoding") == "gzip") is compressed
    assert (gzip.decompress(answer.body) if compressed else answer.body) == body
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_what_is_short_or_no_success_goes_as_it_is():
    assert "content-encoding" not in (await sent(asking(accept_encoding="gzip"), Response(b"ok"))).headers
    refused = await sent(asking(accept_encoding="gzip"), Response(LONG, 404))
    assert not {"etag", "content-encoding"} & {*refused.headers}


async def test_what_the_client_has_is_not_sent_again():
    tag = (await sent(asking(), Response(LONG))).headers["etag"]
    for named in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = await sent(asking(if_none_match=named, accept_encoding="gzip"), Response(LONG))
        assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", tag)
    assert (await sent(asking(if_none_match=tag), Response(LONG + b"1"))).status_code == 200


async def test_what_only_some_may_see_is_not_to_be_stored():
    """The door says `no-store` of every answer that does not say otherwise itself."""
    assert "cache-control" not in (await sent(asking(authorization="Bearer secret"), Response(LONG))).headers
    assert (await sent(asking(), Response(LONG))).headers["cache-control"] == "no-cache"
