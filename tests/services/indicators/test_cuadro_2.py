"""The workshop's own questionnaire (the Plan's Cuadro #2): 27 answers, folded, give the table that it prints."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.indicators.making import event, folded, instant, row
from tests.services.indicators.serving import get, served, viewed
from tests.services.indicators.test_desk import shown

ASPECTS = [
    "organización",
    "logística",
    "presentaciones",
    "facilitadores",
    "metodología",
    "resultados",
    "material_de_apoyo",
]
PRINTED = {
    "excelente": ["74.07", "55.56", "85.19", "92.59", "81.48", "85.19", "74.07"],
    "bueno": ["22.22", "40.74", "11.11", "3.70", "18.52", "14.81", "18.52"],
    "regular": ["3.70", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00"],
    "deficiente": ["0.00", "3.70", "0.00", "0.00", "0.00", "0.00", "7.41"],
    "no_contesto": ["0.00", "0.00", "3.70", "3.70", "0.00", "0.00", "0.00"],
}
QUESTIONNAIRES = 27


def answers():
    """The answers behind the percentages: of each aspect 27."""
    for place, aspect in enumerate(ASPECTS):
        told = []
        for rating, shares in PRINTED.items():
            told += [rating] * round(float(shares[place]) / 100 * QUESTIONNAIRES)
        assert len(told) == QUESTIONNAIRES
        yield from (
            event("training.evaluation.submitted", "MEX", "2003-05-09T18:00:00Z", aspect=aspect, rating=rating)
            for rating in told
        )


def printed(found):
    """The region's cells as the Plan prints them."""
    shares = {(cell.labels["rating"], cell.labels["aspect"]): cell for cell in found.cells if cell.country == "REG"}
    assert {cell.denominator for cell in shares.values()} == {QUESTIONNAIRES}
    return {rating: [f"{100 * shares[rating, aspect].value:.2f}" for aspect in ASPECTS] for rating in PRINTED}


def test_the_27_questionnaires_print_the_plans_own_table():
    found = row(folded(*answers()), "XC-5")
    assert printed(found) == PRINTED
    assert found.headline.value == pytest.approx(148 / 189)  # "un porcentaje importante": excelente, over all aspects


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_in_any_order(random):
    mixed = list(answers())
    random.shuffle(mixed)
    assert printed(row(folded(*mixed), "XC-5")) == PRINTED


def test_one_answer_more_is_another_table():
    more = msgspec.json.decode(next(answers()))
    more["data"]["rating"] = "deficiente"
    found = row(folded(*answers(), msgspec.json.encode(more)), "XC-5")
    one = next(cell for cell in found.cells if cell.labels == {"aspect": "organización", "rating": "deficiente"})
    assert (one.numerator, one.denominator) == (1, 28)


@pytest.mark.parametrize(("lang", "point"), [("es", "."), ("en", "."), ("fr", ",")])
def test_the_page_shows_the_figures_as_the_plan_prints_them(lang, point):
    with served(viewed(folded(*answers()))) as address:
        _, page, _ = get(f"{address}/indicators/XC-5?lang={lang}")
    for rating, shares in PRINTED.items():
        for share in shares:
            assert re.search(rf"\b{share.replace('.', point)}\s?%", page) or share == "0.00", (rating, share)
    assert "74.1" not in page.replace(",", ".")


def test_aspects_and_ratings_come_in_the_plans_order():
    with served(viewed(folded(*answers()))) as address:
        _, page, _ = get(f"{address}/indicators/XC-5?lang=es")
    region = [row for row in re.findall(r"<tr.*?</tr>", page.partition('id="cells"')[2], re.DOTALL) if "Región" in row]
    told = [tuple(re.findall(r"<td>([^<]*)</td>", row)[:2]) for row in region]
    words = {"no_contesto": "no contestó", "material_de_apoyo": "material de apoyo"}
    every = [(words.get(aspect, aspect), words.get(rating, rating)) for aspect in ASPECTS for rating in PRINTED]
    assert told == [pair for pair in every if pair in told]
    assert len(told) > len(ASPECTS)


def test_small_curves_put_a_countrys_aspects_together():
    said = [
        event("training.evaluation.submitted", "GTM", "2004-02-01T10:00:00Z", aspect=aspect, rating=rating)
        for aspect, rating in [("organización", "excelente"), ("organización", "bueno"), ("logística", "bueno")]
    ]
    with served(viewed(folded(*answers(), *said), now=lambda: instant("2004-07-15"))) as address:
        text = shown(get(f"{address}/indicators/XC-5?lang=en")[1])
    curves = text.split("By country and by category, over time")[-1].partition("Figures by country")[0]
    assert "Guatemala 33.33%" in curves
    ratings = [word for word in ("excellent", "good", "fair", "poor", "no answer") if f" {word} " in curves]
    assert ratings == re.findall(r"\b(excellent|good|fair|poor|no answer)\b", curves)
    assert len(ratings) > 1
