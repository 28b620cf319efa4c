"""What people come for, each from the first page in at most three clicks of a real browser."""

import pytest

CLICKS_MAX = 3


@pytest.fixture(params=["es", "en", "fr"])
def person(base, page, request):
    page.open(f"{base}/?lang={request.param}", 1400)
    return Person(page, request.param)


class Person:
    """Clicks on what is to be seen, and counts."""

    def __init__(self, page, lang):
        self.page, self.lang, self.clicks = page, lang, 0

    def click(self, **said):
        self.page.click(said[self.lang])
        self.clicks += 1
        assert self.clicks <= CLICKS_MAX

    def reads(self, within="main"):
        return self.page.value(f"document.querySelector({within!r}).innerText").replace("\u00a0", " ")

    def sees(self, within="main", **said):
        assert said[self.lang] in self.reads(within)


def test_which_targets_are_missed(person):
    person.click(es="no cumplidas:", en="not met:", fr="non atteintes")
    badges = person.page.value("[...document.querySelectorAll('#chosen .badge')].map((one) => one.className)")
    assert len(badges) > 5
    assert {*badges} == {"badge not_met"}
    assert person.page.value("document.getElementById('rows').getBoundingClientRect().top < innerHeight")


def test_why_a_figure_fell_this_quarter(person):
    person.click(
        es="Detecciones de documentos falsificados", en="Forged documents detected", fr="Documents falsifiés détectés"
    )
    person.sees(es="Bajó: de", en="It fell: from", fr="En baisse")
    first = person.page.value("document.querySelector('#moved ~ .scroll tbody tr').innerText")
    assert "Honduras" in first  # of whom most is missing
    assert "\N{MINUS SIGN}" in first


def test_what_honduras_must_do_next(person):
    person.click(es="Honduras", en="Honduras", fr="Honduras")
    person.sees("#waits", es="vencido hace", en="overdue", fr="retard")
    person.sees("#waits", es="Próximos vencimientos", en="Next due dates", fr="Prochaines échéances")
    person.sees(
        "#waits", es="Compromisos de las reuniones", en="Commitments of the meetings", fr="Engagements des réunions"
    )


def test_what_is_on_the_next_agenda(person):
    person.click(
        es="Agenda de la próxima reunión", en="Agenda of the next meeting", fr="Ordre du jour de la prochaine réunion"
    )
    person.sees(es="Martes, 3 de agosto de 2004", en="Tuesday, August 3, 2004", fr="Mardi 3 août 2004")
    assert "Honduras" in person.reads(".agenda > li")


def test_whether_anything_is_broken(person):
    person.click(es="Estado del sistema", en="State of the system", fr="État du système")
    person.sees(es="Todo funciona", en="Everything works", fr="Tout fonctionne")


def test_a_click_on_what_is_not_there_fails(base, page):
    """The control."""
    page.open(f"{base}/?lang=en", 1400)
    with pytest.raises(LookupError):
        page.click("Nothing of the kind")
