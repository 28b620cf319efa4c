import shutil
from datetime import UTC, datetime

import pytest

from services.indicators.publish import messages
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
            ("1\u202f234\u202f567,8", "97,7\u00a0%", "100\u00a0%", "1 mars 2004"),
            "1 mars 2004, 10:05:00 UTC",
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
    ("label", "value", "es"),
    [
        ("instrument", "SOM", "Protocolo contra el tráfico ilícito de migrantes por tierra, mar y aire"),
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
