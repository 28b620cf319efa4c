import shutil
from datetime import UTC, datetime

import pytest

from services.indicators.publish import explained, messages
from services.indicators.publish.words import LANGUAGES, words
from tests.services.indicators.making import PLAN


def test_the_catalogs_are_whole():
    assert messages.faults() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("es.po", 'msgstr "Alcanzado"', 'msgstr ""', "es.po: text.reached: untranslated"),
        ("fr.po", 'msgctxt "text.reached"', '#, fuzzy\nmsgctxt "text.reached"', "fr.po: text.reached: fuzzy"),
        ("es.po", 'msgid "Reached"', 'msgid "Attained"', "es.po: text.reached: missing, or the English has changed"),
        ("es.po", 'msgctxt "text.reached"', 'msgctxt "text.gone"', "es.po: text.gone: left over"),
        ("fr.po", 'msgstr[0] "loi"', 'msgstr[0] ""', "fr.po: unit.laws: untranslated"),
        ("es.po", 'msgstr "máximo {n}"', 'msgstr "máximo {m}"', "es.po: text.at_most: other places in braces"),
        ("messages.pot", 'msgctxt "text.reached"', 'msgctxt "text.won"', "milestones.html asks for text.reached"),
        ("messages.pot", 'msgctxt "text.reached"', 'msgctxt "word.reached"', "a key begins with one of"),
    ],
)
def test_what_is_wrong_with_a_catalog_is_named(tmp_path, file, old, new, fault):
    folder = shutil.copytree(messages.FOLDER, tmp_path / "locale")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(fault in one for one in messages.faults(folder))


def test_a_changed_english_text_comes_to_translators_as_fuzzy(tmp_path):
    folder = shutil.copytree(messages.FOLDER, tmp_path / "locale")
    file = folder / messages.ENGLISH
    file.write_text(file.read_text(encoding="utf-8").replace('msgid "Reached"', 'msgid "Attained"'), encoding="utf-8")
    messages.merge(folder)
    found = messages.faults(folder)
    assert found
    assert all(one.partition(": ")[2].startswith("text.reached: fuzzy") for one in found)


@pytest.mark.parametrize(
    ("lang", "numbers", "moment"),
    [
        ("es", ("1,234,567.8", "97.7%", "100%", "1 mar 2004"), "1 de marzo de 2004, 10:05:00 UTC"),
        ("en", ("1,234,567.8", "97.7%", "100%", "Mar 1, 2004"), "March 1, 2004, 10:05:00 UTC"),
        (
            "fr",
            ("1\u202f234\u202f567,8", "97,7\u00a0%", "100\u00a0%", "1er mars 2004"),
            "1er mars 2004, 10:05:00 UTC",
        ),
    ],
)
def test_numbers_and_days_are_those_of_the_language(lang, numbers, moment):
    said, when = words(lang), datetime(2004, 3, 1, 10, 5, tzinfo=UTC)
    shown = (said.number(1234567.8), said.number(0.977, "ratio"), said.number(1, "ratio", short=True), said.day(when))
    assert (shown, said.moment(when)) == (numbers, moment)


@pytest.mark.parametrize(
    ("seconds", "es", "en"),
    [
        (0, "0 segundos", "0 seconds"),
        (45, "45 segundos", "45 seconds"),
        (3_600, "1 hora", "1 hour"),
        (5_400, "1 hora y 30 minutos", "1 hour, 30 minutes"),
        (129_600, "36 horas", "36 hours"),
        (259_200, "3 días", "3 days"),
        (273_600, "3 días y 4 horas", "3 days, 4 hours"),
        (4_549_000.7, "52 días y 16 horas", "52 days, 16 hours"),
        (345_599, "4 días", "4 days"),
        (-7_200, "\u22122 horas", "\u22122 hours"),
    ],
)
def test_a_time_is_said_in_days_and_hours(seconds, es, en):
    assert (words("es").duration(seconds), words("en").duration(seconds)) == (es, en)


@pytest.mark.parametrize(
    ("row", "value", "es"),
    [
        ("PC-1a", 1.2, "1.20"),  # above 1
        ("PC-1a", 0.882, "0.88"),
        ("PC-1a", 0.9996, "1.00"),  # which is not above 1 either
        ("PC-1a", 1.0, "1.00"),
        ("PC-1a", 1.004, "1.004"),
        ("PC-1a", 1.0000000001, "1.00"),
        ("VA-2.1", 1.0, "1.00"),  # below 1
        ("VA-2.1", 0.9999, "0.9999"),
        ("IE-1.2", 0.9999, "99.99%"),  # at least 100 %
        ("IE-1.2", 0.999999999, "99.9%"),
        ("IE-1.2", 1.0, "100.0%"),
        ("IE-2.1.attendance", 8.909, "8.91"),
        ("IE-2.1.attendance", 9.0, "9"),
        ("IE-1.2.3.dissemination", 259_200, "3\u00a0días"),  # at most 3 days
        ("IE-1.2.3.dissemination", 260_700, "3\u00a0días y 25\u00a0minutos"),
        ("IE-1.2.3.dissemination", 259_201, "3\u00a0días y 1\u00a0segundo"),
        ("IE-1.2.3.dissemination", 258_900, "3\u00a0días"),
        ("IE-1.2.3.dissemination", 4_549_000.7, "52\u00a0días y 16\u00a0horas"),
    ],
)
def test_a_figure_never_reads_as_if_it_met_a_target_that_it_misses(row, value, es):
    """Nor the other way round; all multiples have two decimals where that holds."""
    assert words("es", PLAN).figure(PLAN.rows[row], value) == es


def test_figures_beside_one_another_differ_where_they_do():
    said = words("en", PLAN)
    assert said.figures(PLAN.rows["VA-2.1"], 0.584, 0.578, None) == ["0.584", "0.578", "—"]
    assert said.figures(PLAN.rows["VA-2.1"], 0.6, 0.6) == ["0.60", "0.60"]
    assert said.figures(PLAN.rows["IE-1.2"], 0.6130, 0.6131) == ["61.30%", "61.31%"]


def test_a_country_is_one_of_those_that_are_counted_or_is_not():
    said, row = words("es", PLAN), PLAN.rows["IE-1.1"]
    assert (said.of_country(row, 1), said.figure(row, 1)) == (("sí", ""), "1")
    assert said.of_country(row, 0) == ("no", "")
    partners = PLAN.rows["IE-3.1iii.partners"]
    assert said.of_country(partners, 1) == ("1", said.unit(partners.unit, 1))


@pytest.mark.parametrize(
    ("lang", "points", "said"),
    [
        ("es", 1.0, "▲ 1 punto más"),
        ("es", 0.3, "▲ 0.3 puntos más"),
        ("en", 1.0, "▲ 1 point more"),
        ("fr", 0.3, "▲ 0,3 point de plus"),
        ("fr", 12.5, "▲ 12,5 points de plus"),
    ],
)
def test_points_are_one_or_several_as_the_language_has_it(lang, points, said):
    assert words(lang).counted("change_more", points) == said


def test_that_a_published_figure_is_not_published_is_never_said():
    said = words("en")
    assert said.unknown("hidden", [], None) == "The figure is not published"
    assert said.unknown("hidden", [], 0.5).startswith("Which countries report is not published")


@pytest.mark.parametrize(
    ("label", "value", "es"),
    [
        ("instrument", "SOM", "Protocolo contra el tráfico ilícito de migrantes"),
        ("nationality", "SOM", "Somalia"),
        ("from", "BRA", "Brasil"),
        ("currency", "GTQ", "quetzal guatemalteco"),
        ("doc_code", "PX", "pasaporte, código PX"),
        ("doc_code", "IP", "documento oficial de viaje, código IP"),
        ("input", "IE", "IE · Intercambio de información"),
        ("topic", "never_heard_of", "never_heard_of"),
    ],
)
def test_a_value_is_called_by_its_name_within_its_label(label, value, es):
    assert words("es", PLAN).value(label, value) == es


def test_an_event_type_has_a_name_by_its_service_where_two_have_it():
    said = words("es")
    assert said.event("training.evaluation.submitted") == "curso o reunión evaluados"
    assert said.event("victims.evaluation.submitted") == "repatriación o servicio evaluados"
    assert said.event("intel.meeting.held") == said.event("legal.meeting.held") == "reunión realizada"
    assert said.event("intel.meeting.sung") == ""


def test_every_language_has_a_catalog():
    assert {lang for lang, _ in LANGUAGES} == {"en", *messages.TRANSLATED}


def test_french_counts_the_first_of_a_month():
    said = words("fr")
    first, second = datetime(2004, 6, 1, 9, tzinfo=UTC), datetime(2004, 6, 11, tzinfo=UTC)
    assert said.day(first) == "1er juin 2004"
    assert said.weekday(first) == "mardi 1er juin 2004"
    assert said.day(second) == "11 juin 2004"
    assert words("es").day(first) == "1 jun 2004"


def test_a_formula_says_nothing_twice():
    for row in PLAN.rows.values():
        for part in explained.formula(words("es", PLAN), PLAN, row)["parts"]:
            terms = [repr(one) for one in part["terms"]]
            assert len(terms) == len({*terms}), row.id


@pytest.mark.parametrize("lang", ["en", "es", "fr"])
def test_every_field_that_a_formula_asks_of_has_a_name(lang):
    said = words(lang, PLAN)
    asked = {
        name
        for row in PLAN.rows.values()
        for part in explained.formula(said, PLAN, row)["parts"]
        for term in part["terms"]
        for name, _ in term["where"]
    }
    assert len(asked) > 5
    assert asked <= {*said.labels.values(), *said.fields.values()}


def test_a_formula_that_asks_how_soon_a_report_came_says_so():
    (counted,) = (one for one in PLAN.rows["XC-6.timely"].term if one.role == "numerator")
    assert counted.event == "*"
    told = explained.formula(words("en"), PLAN, PLAN.rows["XC-6.timely"])
    assert "recorded on time" in str(told)
