import gzip

import pytest
from backports import zstd
from starlette.requests import Request
from starlette.responses import Response

from shared.run.sending import APART_FROM, sent

OPENED = {None: bytes, "gzip": gzip.decompress, "zstd": zstd.decompress}
LONG = b"crm_indicator_value 1.0\n" * 100


def asking(**headers):
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": told})


@pytest.mark.parametrize("body", [LONG, LONG * (APART_FROM // len(LONG) + 1)])
@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip", "gzip"),
        ("br, GZIP;q=0.5", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=0.5, ZSTD;q=0.5", "zstd"),
        ("gzip, zstd;q=0.9", "gzip"),
        ("zstd;q=0, gzip;q=0.1", "gzip"),
        ("zstd", "zstd"),
        ("*", "zstd"),
        ("zstd;q=0, *;q=0.2", "gzip"),
        ("", None),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=0.000, br", None),
        ("gzip;q=what, zstd;q=", None),
        ("*;q=0", None),
        ("x-gzip", None),
    ],
)
async def test_what_is_long_is_compressed_as_the_client_likes_best(body, accepts, coding):
    answer = await sent(asking(accept_encoding=accepts), Response(body))
    assert answer.headers.get("content-encoding") == coding
    assert OPENED[coding](answer.body) == body
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
