"""Keys of what is sealed: given to their readers only, forgotten by their owner or with the consent, and then gone."""

import asyncio
import itertools

import asyncpg
import pytest

from services.victims import keys, stores
from services.victims.__main__ import SERVICE
from services.victims.forgetting import Forgetting
from services.victims.stores import Key, KeysDatabase, KeysFile
from shared.ask.questions import Asked
from shared.contracts import Refused
from shared.contracts.keeping import HEAD, ForgetAnswer, ForgetAsk, KeepAnswer, KeepAsk, KeyAnswer, KeyAsk
from tests.harness.closing import closed
from tests.harness.desk import START, desk
from tests.harness.needles import of_head, written

ONE, TWO, THREE, FOUR = (f"k-{number:032x}" for number in (1, 2, 3, 4))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "sealed" / "keys.sqlite"


NUMBER = itertools.count(1)


@pytest.fixture
async def database(postgres_server):
    """The address of an empty database beside the region's."""
    name = f"keys_{next(NUMBER)}"
    owner = await asyncpg.connect(postgres_server.server.url(database="postgres"))
    await owner.execute(f"create database {name}")
    yield postgres_server.server.url(database=name)
    await owner.execute(f"drop database {name} with (force)")
    await owner.close()


@pytest.fixture(params=["file", "database"])
async def another(request, file, database):
    """What makes a store of the same keys, as another process would have it."""
    if request.param == "file":
        yield lambda: KeysFile(file)
        return
    made = []
    yield lambda: made.append(KeysDatabase(database)) or made[-1]
    for one in made:
        await one.close()


@pytest.fixture
def kept(another, monkeypatch):
    store = another()
    monkeypatch.setattr(keys, "kept", lambda: store)
    return store


@pytest.fixture
async def victims(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


async def keep(*asked, consent=None, head=HEAD, readers=("MEX",)):
    """What (country, key) are answered."""
    ask = [Asked(by, KeepAsk(key=key, head=head, readers=readers, consent_id=consent), START) for by, key in asked]
    return await keys.on_keep(ask, None)


async def given(*asked):
    """The header that (country, key) are given, or the code of the error."""
    answers = await keys.on_key([Asked(by, KeyAsk(key=key), START) for by, key in asked], None)
    return [one.head if isinstance(one, KeyAnswer) else one.code for one in answers]


async def forget(by, *named):
    (answer,) = await keys.on_forget([Asked(by, ForgetAsk(keys=named), START)], None)
    assert isinstance(answer, ForgetAnswer)
    return answer.forgotten


@pytest.mark.usefixtures("kept")
async def test_a_key_is_given_to_its_readers_and_to_nobody_else():
    assert await keep(("GTM", ONE)) == [KeepAnswer()]
    no = "not_permitted"
    assert await given(("MEX", ONE), ("GTM", ONE), ("HND", ONE), ("MEX", TWO)) == [HEAD, HEAD, no, no]


@pytest.mark.usefixtures("kept")
async def test_what_is_kept_is_not_replaced_and_may_be_asked_again():
    other = HEAD.replace("ugBe3", "ugBe4")
    assert await keep(("GTM", ONE), ("GTM", ONE)) == [KeepAnswer()] * 2
    answers = [*await keep(("HND", ONE)), *await keep(("GTM", ONE), head=other), *await keep(("GTM", ONE), readers=())]
    assert [[one.code for one in answer.problems] for answer in answers] == [["id_conflict"]] * 3
    assert await given(("MEX", ONE), ("HND", ONE)) == [HEAD, "not_permitted"]


@pytest.mark.usefixtures("kept")
async def test_only_its_owner_has_a_key_forgotten():
    await keep(("GTM", ONE), ("GTM", TWO), ("HND", THREE))
    assert [await forget("MEX", ONE), await forget("GTM", ONE, THREE), await forget("GTM", ONE)] == [0, 1, 0]
    assert await given(("GTM", ONE), ("GTM", TWO), ("HND", THREE)) == ["not_permitted", HEAD, HEAD]


LOTS = [Key(f"k-{number:032x}", "GTM", frozenset({"GTM", "MEX"}), "", HEAD) for number in range(200)]
OTHER_HEAD = HEAD.replace("T68GxG", "T68GxX")


def forms():
    return {form for part in of_head(HEAD) for form in written(part)}


async def forgotten(store, there):
    """Have all but one key forgotten, of which something was there."""
    await store.put([*LOTS, Key("k-" + "f" * 32, "GTM", frozenset({"GTM", "MEX"}), "", OTHER_HEAD)])
    while not await there():
        await asyncio.sleep(0.05)  # a table that is just being written anew
    assert await store.delete("GTM", [one.id for one in LOTS]) == 200
    assert await store.count("GTM") == 1


async def test_of_a_key_forgotten_nothing_is_left_in_the_file(file):
    async def there():
        whole = b"".join(one.read_bytes() for one in file.parent.iterdir())
        return any(form in whole for form in forms())

    await forgotten(KeysFile(file), there)
    assert not await there()


@pytest.fixture
async def there(database):
    """Whether the wrapped keys stand in any file of the database."""
    owner = await asyncpg.connect(database)

    async def look():
        await owner.execute("checkpoint")
        whole = await owner.fetchval(
            "select string_agg(pg_read_binary_file(pg_relation_filepath(oid), 0, 1 << 26, true), '') from pg_class"
            " where pg_relation_filepath(oid) is not null and oid >= 16384"
        )
        return any(form in whole for form in forms())

    yield look
    await owner.close()


async def test_of_a_key_forgotten_nothing_is_left_in_the_files_of_a_database(database, there):
    store = KeysDatabase(database)
    await forgotten(store, there)
    await store.close()
    assert not await there()


async def test_what_is_forgotten_while_others_are_overwritten_is_not_left(database, there, monkeypatch):
    monkeypatch.setattr(stores, "OVERWRITE_S", 0.2)
    store = KeysDatabase(database)
    await store.put(LOTS)
    for one in LOTS:
        await store.delete("GTM", [one.id])
    await store.close()
    assert not await there()


async def test_what_a_killed_process_had_forgotten_is_overwritten_by_the_next(database, there):
    store, owner = KeysDatabase(database), await asyncpg.connect(database)
    await store.put(LOTS)
    await store.close()
    await owner.execute("delete from key")
    await owner.close()
    assert await there()
    store = KeysDatabase(database)
    await store.name()
    await store.close()
    assert not await there()


async def test_nobody_who_reads_the_database_keeps_what_is_forgotten(database, there):
    reader = await asyncpg.connect(database)
    store = KeysDatabase(database)
    # As a copy made by pg_dump, or the server's own analysing, reads: for long, with what there was when it began.
    async with reader.transaction(isolation="repeatable_read"):
        await reader.fetchval("select 1")
        await forgotten(store, there)
        await store.close()
        assert not await there()
    await reader.close()


async def test_all_processes_share_it(kept, another):
    other = another()
    both = (kept, other)
    made = [Key(f"k-{number:032x}", "GTM", frozenset({"GTM"}), "", HEAD) for number in range(40)]
    await asyncio.gather(*(both[number % 2].put([one]) for number, one in enumerate(made)))
    assert {*await other.get([one.id for one in made])} == {one.id for one in made}
    assert await other.name() == await kept.name()
    assert await other.delete("GTM", [one.id for one in made]) == 40
    assert await kept.get([one.id for one in made]) == {}


async def test_a_file_is_its_owners_only_and_no_other_is_called_as_it_is(file, tmp_path):
    names = {await KeysFile(one).name() for one in (file, file, tmp_path / "other" / "keys.sqlite")}
    assert len(names) == 2
    assert file.stat().st_mode & 0o77 == 0


@pytest.mark.usefixtures("kept")
async def test_a_country_has_room_for_so_many(monkeypatch):
    monkeypatch.setattr(keys, "KEYS_MAX", 2)
    answers = await keep(("GTM", ONE), ("GTM", TWO), ("GTM", THREE), ("HND", FOUR))
    assert [isinstance(one, KeepAnswer) for one in answers] == [True, True, False, True]
    assert [one.code for one in answers[2].problems] == ["too_many_keys"]


async def test_a_key_that_ends_with_its_consent_as_it_is_kept_was_kept(kept, monkeypatch):
    """Forgetting may come between keeping and looking: that is no want of room."""
    put = kept.put

    async def put_and_forgotten(those):
        await put(those)
        await kept.delete("GTM", consents=["co-1"])

    monkeypatch.setattr(kept, "put", put_and_forgotten)
    assert await keep(("GTM", ONE), consent="co-1") == [KeepAnswer()]
    assert await given(("GTM", ONE)) == ["not_permitted"]


async def test_where_keys_can_be_kept_nowhere_it_is_said_at_the_start(monkeypatch, tmp_path):
    keys.kept.cache_clear()
    for named in ("", str(tmp_path)):
        monkeypatch.setenv("CRM_KEYS_FILE", named)
        (fault,) = keys.faults()
        assert "CRM_KEYS_FILE" in fault
    keys.kept.cache_clear()


# --- with the consent ----------------------------------------------------------------------------------------------
async def look(victims, forgetting):
    async with victims.log.pool.acquire() as connection:
        return await forgetting.look(connection)


def consent(victims, verb, **changes):
    return victims.event(f"victims.consent.{verb}", **changes)


@pytest.mark.usefixtures("kept")
async def test_with_a_consent_its_keys_are_forgotten_and_no_other(victims):
    forgetting = Forgetting(victims.log.pool)
    await keep(("GTM", ONE), consent="con-1")
    await keep(("GTM", TWO), consent="con-2")
    await keep(("HND", THREE), consent="con-1")
    await victims.tell(closed(consent(victims, "recorded")), closed(consent(victims, "recorded", consent_id="con-2")))
    await look(victims, forgetting)
    assert await given(("MEX", ONE), ("MEX", TWO), ("MEX", THREE)) == [HEAD] * 3
    await victims.tell(consent(victims, "withdrawn"))
    assert not await look(victims, forgetting)
    assert await given(("MEX", ONE), ("MEX", TWO), ("MEX", THREE)) == ["not_permitted", HEAD, HEAD]


@pytest.mark.usefixtures("kept")
async def test_a_consent_that_was_merged_is_forgotten_under_each_of_its_names(victims):
    await keep(("GTM", ONE), consent="con-1")
    await keep(("GTM", TWO), consent="con-2")
    await victims.tell(consent(victims, "recorded"), consent(victims, "recorded", consent_id="con-3"))
    async with victims.log.pool.acquire() as connection:
        await connection.execute("insert into merged values ('GTM', 'consent_id', 'con-2', 'con-1')")
    await victims.tell(consent(victims, "withdrawn"))
    await look(victims, Forgetting(victims.log.pool))
    assert await given(("MEX", ONE), ("MEX", TWO)) == ["not_permitted"] * 2


@pytest.mark.usefixtures("kept")
async def test_a_process_that_ends_before_it_noted_it_forgets_again(victims, monkeypatch):
    await keep(("GTM", ONE), consent="con-1")
    await victims.tell(consent(victims, "recorded"), consent(victims, "withdrawn"))
    deleting = keys.kept().delete

    async def failing(*_, **__):
        raise OSError("no disk")

    monkeypatch.setattr(keys.kept(), "delete", failing)
    with pytest.raises(OSError, match="no disk"):
        await look(victims, Forgetting(victims.log.pool))
    assert await given(("MEX", ONE)) == [HEAD]
    monkeypatch.setattr(keys.kept(), "delete", deleting)
    await look(victims, Forgetting(victims.log.pool))
    assert await given(("MEX", ONE)) == ["not_permitted"]
    assert await victims.log.pool.fetchval("select position from forgotten") > 0


# --- the way of a referral -----------------------------------------------------------------------------------------
async def test_a_sealed_referral_is_offered_sealed_and_refused_like_any_other(victims):
    await victims.tell(closed(consent(victims, "recorded", valid_until=...)))
    under = {"consent_id": "con-1", "override": ...}
    sent = closed(victims.event("victims.referral.sent", **under))
    await victims.tell(sent)
    offer = await victims.one("victims.referral.offered")
    assert (offer.type, offer.country) == ("crm.victims.referral.offered.v2", "MEX")
    assert offer.data.sealed == sent.data.sealed
    assert offer.data.due == START.replace(hour=20), "8 hours: urgency is in the clear"
    other = closed(consent(victims, "recorded", consent_id="con-2", scope="research"))
    await victims.tell(other)
    codes = {}
    for consent_id in ("con-2", "con-1"):
        if consent_id == "con-1":
            await victims.tell(consent(victims, "withdrawn"))
        again = closed(
            victims.event("victims.referral.sent", **under | {"consent_id": consent_id}, referral_id="ref-2")
        )
        (refusal,) = await victims.record(again)
        assert isinstance(refusal, Refused)
        codes[consent_id] = [one.code for one in refusal.problems]
    assert codes == {"con-2": ["wrong_consent"], "con-1": ["consent_withdrawn"]}
