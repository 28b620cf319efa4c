"""Who may be told of what: every marking against every relation."""

import itertools
from typing import get_args

import pytest

from services.intel.gate import Marking, Relation, marking, may_know, opened_to, reach
from shared.contracts import registry
from shared.contracts.vocabulary import Handling, InformationGrade, SourceGrade, Tlp

OWNER, NAMED, CONCERNED, MEMBER, REGION = Relation
EVERY = {*Relation}
# What the standards say, written out: who may be told under each mark, were it the only one.
TLP = {
    None: {OWNER, NAMED, CONCERNED},
    "red": {OWNER, NAMED},
    "amber+strict": {OWNER, NAMED},
    "amber": {OWNER, NAMED, CONCERNED},
    "green": {OWNER, NAMED, CONCERNED, MEMBER},
    "clear": EVERY,
}
HANDLING = {None: EVERY, "H0": EVERY, "H1": EVERY, "H2": {OWNER, NAMED}, "H3": {OWNER}}
GRADE = {
    **dict.fromkeys(itertools.product((None, "A", "B"), (None, "1", "2", "3", "4")), EVERY),
    **dict.fromkeys(itertools.product(("C",), (None, "1", "2", "3")), EVERY - {REGION}),
    **{("X", information): {OWNER, NAMED, CONCERNED} for information in (None, "1", "2", "3")},
    ("C", "4"): {OWNER, NAMED},
    ("X", "4"): {OWNER, NAMED},
}


def test_the_table_is_whole():
    assert {*TLP} == {None, *get_args(Tlp)}
    assert {*HANDLING} == {None, *get_args(Handling)}
    assert {*GRADE} == {*itertools.product((None, *get_args(SourceGrade)), (None, *get_args(InformationGrade)))}


@pytest.mark.parametrize("handling", HANDLING)
@pytest.mark.parametrize("tlp", TLP)
def test_only_those_may_know_whom_every_mark_allows(tlp, handling):
    for (source, information), graded in GRADE.items():
        allowed = TLP[tlp] & HANDLING[handling] & graded
        marked = Marking(tlp, handling, source, information)
        assert {relation for relation in Relation if may_know(marked, relation)} == allowed
        assert reach(marked) == max(allowed)


def test_a_book_is_open_to_its_owner_and_to_those_it_was_opened_to():
    relations = {country: opened_to(country, "GTM", ["MEX"]) for country in ("GTM", "MEX", "USA")}
    assert relations == {"GTM": OWNER, "MEX": NAMED, "USA": MEMBER}


def test_every_report_that_can_be_marked_is_read_as_marked():
    marked = [one for one in registry().values() if "handling" in one.data.__struct_fields__ and one.reported]
    assert len(marked) >= 10
    for agreed in marked:
        assert {"tlp", "handling", "srceval", "infoeval"} <= {*agreed.data.__struct_fields__}, agreed.name


def test_an_unmarked_report_is_on_a_need_to_know():
    agreed = registry()["crm.intel.document.flagged.v1"]
    assert (
        marking(
            agreed.data(
                reported_by="immigration", issuing="GTM", doc_code="PP", fraud_type="counterfeit", detected_by="police"
            )
        )
        == Marking()
    )
    assert reach(Marking()) == CONCERNED
