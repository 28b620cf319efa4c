"""Telephone numbers: nobody can try them all, and neither the region nor its data knows one."""

import itertools
import json

import pytest

from infra.keyfiles import HASHES, public_numbers_file
from shared.client import Invalid
from shared.contracts.questions import BLINDED
from shared.numbers import tokens
from tests.harness.system import ROOT

DAY = 120
NUMBER, OTHER = "+502 5551 2345", "+502 5551 2346"


@pytest.fixture
async def hashing(system, tmp_path):
    (tmp_path / "quotas.toml").write_text(
        (ROOT / "shared" / "quotas.toml").read_text().replace("numbers_per_day = 20_000", f"numbers_per_day = {DAY}")
    )
    system.start(HASHES, CRM_QUOTAS_FILE=str(tmp_path / "quotas.toml"))
    await system.ready()
    return system


def given(system):
    keys = json.loads(public_numbers_file(system.region.keys.folder).read_text())
    return {int(version): key for version, key in keys.items()}


async def test_two_countries_get_the_same_token_and_the_region_neither_number_nor_token(hashing):
    gtm, mex = await hashing.country("GTM"), await hashing.country("MEX")
    (one, _), (same,) = (
        await tokens(gtm, [NUMBER, OTHER], given(hashing)),
        await tokens(mex, ["+502-5551-2345"], given(hashing)),
    )
    assert one == same
    rows = await hashing.rows(HASHES, "select * from audit")
    counted = await hashing.rows(HASHES, "select country, numbers from hashed order by country")
    assert [tuple(row) for row in counted] == [("GTM", 2), ("MEX", 1)]
    assert len(rows) == 2
    seen = str([dict(row) for row in rows]) + (hashing.folder / f"{HASHES}.log").read_text()
    assert not [word for word in (one, "55512345", "5551") if word in seen]


async def test_a_country_that_tries_numbers_comes_to_its_limit_of_the_day_and_no_other_does(hashing):
    """With the shared key of before, one core tried all numbers of Guatemala in less than two minutes."""
    gtm, mex = await hashing.country("GTM"), await hashing.country("MEX")
    all_numbers = (f"+502{number:08}" for number in range(10**8))
    parts = iter(lambda: [*itertools.islice(all_numbers, 50)], [])
    with pytest.raises(Invalid) as told:
        [await tokens(gtm, part, given(hashing)) for part in parts]
    assert told.value.problems[0].code == "too_many_numbers"
    assert next(all_numbers) == "+50200000150", "it came as far as two parts"
    assert len(await tokens(gtm, [f"+502{number:08}" for number in range(20)], given(hashing))) == 20, "what is left"
    assert len(await tokens(mex, [NUMBER], given(hashing))) == 1
    hashing.kill(HASHES)
    hashing.start(HASHES, CRM_QUOTAS_FILE=str(hashing.folder / "quotas.toml"))
    await hashing.ready()
    with pytest.raises(Invalid):
        await tokens(gtm, [NUMBER], given(hashing))


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"blinded": ["00" * 32]}, ("/blinded/0", "bad_point")),
        ({"blinded": [BLINDED, "ff" * 32]}, ("/blinded/1", "bad_point")),
        ({"blinded": [BLINDED], "version": 9}, ("/version", "unknown_version")),
    ],
)
async def test_what_cannot_be_evaluated_is_told_and_not_counted(hashing, asked, problem):
    gtm = await hashing.country("GTM")
    with pytest.raises(Invalid) as told:
        await gtm.ask(HASHES, "numbers", asked)
    assert [(one.pointer, one.code) for one in told.value.problems] == [problem]
    assert await hashing.rows(HASHES, "select * from hashed") == []
