"""What is suggested to a sender: the right thing or nothing."""

from typing import get_args

import pycountry
import pytest

from shared.contracts import registry
from shared.contracts.suggestion import ASSIGNED, WITHDRAWN, nearest
from shared.contracts.vocabulary import FRAUD_TYPES, MEMBERS, Country, DocCode, Gone, Nationality, State
from tests.harness.door import judged

NATIONALITIES = get_args(Nationality)


def test_the_tables_are_those_of_iso_3166():
    assert set(get_args(State)) == {one.alpha_3 for one in pycountry.countries}
    assert {pair[:2]: pair[2:] for pair in ASSIGNED.split()} == {
        one.alpha_2: one.alpha_3 for one in pycountry.countries
    }
    gone = {one.alpha_3 for one in pycountry.historic_countries} - set(get_args(State))
    assert set(get_args(Gone)) == gone
    assert {pair[2:] for pair in WITHDRAWN.split()} <= gone


@pytest.mark.parametrize("one", list(pycountry.countries), ids=lambda one: one.alpha_2)
def test_a_two_letter_code_suggests_its_own_country(one):
    for written in (one.alpha_2, one.alpha_2.lower()):
        assert nearest(written, NATIONALITIES) == one.alpha_3
        assert nearest(written, MEMBERS) == (one.alpha_3 if one.alpha_3 in MEMBERS else None)


def test_a_code_that_is_gone_suggests_what_it_stood_for():
    for two, three in {"DD": "DDR", "YU": "YUG", "SU": "SUN", "ZR": "ZAR", "TP": "TMP", "AN": "ANT"}.items():
        assert nearest(two, NATIONALITIES) == three
    assert nearest("ROM", NATIONALITIES) == "ROU"
    assert nearest("CS", NATIONALITIES) is None


@pytest.mark.parametrize("other", ["SPA", "GER", "CUBA", "SLVA", "Spain", "ZZZ", "ECUADOR", "SAL", "HOND", "UTO"])
def test_nothing_is_guessed_among_three_letter_codes(other):
    assert nearest(other, NATIONALITIES) is None
    assert nearest(other, MEMBERS) is None


def test_case_and_marks_between_words_do_not_matter():
    assert nearest("gtm", get_args(Country)) == "GTM"
    assert nearest("pp", get_args(DocCode)) == "PP"
    assert nearest("Photo-Substitution", FRAUD_TYPES) == "photo_substitution"


def test_one_slip_in_a_long_word():
    for slip in ("photo_substituton", "photo_substitutiion", "photo_subsittution", "photo_substitutoon"):
        assert nearest(slip, FRAUD_TYPES) == "photo_substitution"
    assert nearest("photo_substn", FRAUD_TYPES) is None
    assert nearest("Maria.Lopez", FRAUD_TYPES) is None


def test_between_two_that_would_do_none_is_meant():
    assert nearest("routeone", ["routeon", "routeones"]) is None
    assert nearest("PPX", get_args(DocCode)) is None


def test_short_words_are_not_guessed():
    assert nearest("fema", ["female", "male"]) is None
    assert nearest("tips", ["tip", "som"]) is None


def test_a_field_is_told_by_name_only_where_it_is_a_known_one_misspelt():
    told = judged("intel.document.flagged", detectedby="first_line", maria_lopez=1, lopez=2)
    assert ("/data/detectedby", "unknown_field") in told
    assert ("/data", "unknown_field") in told
    assert not [at for at, _ in told if "lopez" in at]


@pytest.mark.parametrize("two", ["SV", "CU", "BR", "CA", "CR", "HN", "NI", "ES", "IN", "PK"])
def test_a_two_letter_citizenship_is_refused_with_its_own_code(two):
    assert judged("victims.victim.registered", citizenship=two) == [("/data/citizenship", "unknown_value")]


@pytest.mark.parametrize(
    "issuer", ["ESP", "ECU", "CUB", "ITA", "CHN", "GBD", "D", "UNO", "XPO", "YUG", "SUN", "RKS", "XXA"]
)
def test_a_document_may_be_of_any_issuer(issuer):
    assert judged("intel.document.flagged", issuing=issuer).data.issuing == issuer
    assert judged("intel.document.confirmed", issuing=issuer).data.issuing == issuer
    assert judged("intel.trafficker.detected", nationality=issuer).data.nationality == issuer


def test_only_listing_and_specimens_are_for_members():
    whose = {one.name for one in registry().values() if one.reported and one.owner == "issuing"}
    assert {name for name in whose if judged(name, issuing="ESP") == [("/data/issuing", "unknown_value")]} == whose
