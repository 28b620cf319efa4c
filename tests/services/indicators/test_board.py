import html
import json
import re

import pytest

from services.indicators.figures import examples
from services.indicators.folded.state import Aside
from services.indicators.publish.words import words
from shared.contracts import registry
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN
from tests.services.indicators.serving import example_fold, get, served, viewed

WORKED = examples.by_row(examples.load())


@pytest.fixture(scope="module")
def fold():
    return example_fold()


@pytest.fixture(scope="module")
def base(fold):
    with served(viewed(fold, examples=WORKED)) as address:
        yield address


def test_an_indicator_as_json_now_and_as_of(base):
    status, body, headers = get(f"{base}/api/indicators/LE-2.1?as_of=2003-09-25")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {
        "id": "LE-2.1",
        "title": {
            "es": "Países parte de los tratados",
            "en": "Countries party to the treaties",
            "fr": "Pays parties aux traités",
        },
        "unit": "countries",
        "kind": "countries",
        "as_of": "2003-09-25",
        "target": 11,
        "direction": "at_least",
        "met": False,
        "unknown": None,
        "missing": [],
        "coverage": pytest.approx(1 / 11),
        "on_time": {},  # how many of few reports came in time is not told
        "values": [
            {
                "country": c,
                "labels": {"instrument": "TIP"},
                "value": 1,
                **dict.fromkeys(("numerator", "denominator")),
                "suppressed": False,
            }
            for c in ("MEX", "REG")
        ],
    }
    assert json.loads(get(f"{base}/api/indicators/LE-2.1")[1])["values"][-1]["value"] == 2


def test_lists_have_every_row_and_every_due_date(base):
    rows = json.loads(get(f"{base}/api/indicators")[1])
    assert [one["id"] for one in rows] == list(PLAN.rows)
    due = {one["id"]: one for one in json.loads(get(f"{base}/api/milestones")[1])}
    assert due["MS-IE-4/2003-06-03"]["state"] == "reached"
    assert due["MS-IE-4/2003-07-01"]["state"] == "missed"
    assert due["MS-XC-1"]["state"] == "open"
    assert due["MS-LE-1"]["title"]["fr"] == "Groupe technique créé"
    progress = {name: due["MS-LE-1"][name] for name in ("done", "needed", "missing")}
    assert progress == {"done": 0, "needed": 11, "missing": list(MEMBERS)}
    assert "0 de 11; faltan: Belice, Canadá" in get(f"{base}/")[1]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/indicators/XX-9", 404, "not_found"),
        ("/indicators/XX-9", 404, "not_found"),
        ("/api/indicators/LE-2.1?as_of=2003-02-30", 400, "bad_request"),
        ("/api/indicators/LE-2.1?as_of=20030201", 400, "bad_request"),
        ("/api/nothing", 404, "not_found"),
        ("/contracts/schemas/crm.intel.secret.v1.json", 404, "not_found"),
    ],
)
def test_what_is_not_there_is_said_as_json(base, path, status, code):
    got, body, _ = get(base + path)
    error = json.loads(body)["error"]
    assert (got, error["code"]) == (status, code)
    assert error["message"]


@pytest.mark.parametrize(
    ("path", "headers", "lang", "word"),
    [
        ("/", {}, "es", "Tablero de indicadores"),
        ("/", {"Accept-Language": "de, fr-CA;q=0.8, en;q=0.5"}, "fr", "Tableau de bord"),
        ("/?lang=en", {"Accept-Language": "fr"}, "en", "Scoreboard"),
        ("/indicators/VA-4.1?lang=en&as_of=2004-12-31", {}, "en", "0\u201310, or withheld"),
        ("/indicators/LE-2.1?lang=en", {}, "en", "Mexico"),
        ("/indicators/VA-4.1b?lang=es", {}, "es", "múltiplos de 11"),
        ("/contracts?lang=en", {}, "en", "document.flagged"),
    ],
)
def test_pages_speak_three_languages(base, path, headers, lang, word):
    status, body, got = get(base + path, **headers)
    assert status == 200
    assert f'<html lang="{lang}">' in body
    assert word in body
    assert got["Content-Security-Policy"].startswith("default-src 'self'")


def test_every_indicator_has_a_page(base):
    for lang in ("es", "en", "fr"):
        assert {get(f"{base}/indicators/{identity}?lang={lang}")[0] for identity in PLAN.rows} == {200}


@pytest.mark.parametrize(
    ("number", "lang", "said"),
    [
        (1199, "en", "1,199 events are not counted."),
        (11, "es", "11 eventos no están contados."),
        (11, "fr", "11 événements ne sont pas comptés."),
        (0, "en", ""),
    ],
)
def test_what_was_set_aside_is_said_on_every_page_of_figures_and_to_tools(fold, base, number, lang, said):
    if number:
        fold.state.aside["intel"] = Aside({1: "OverflowError"}, number - 1)
    try:
        pages = [get(f"{base}/?lang={lang}")[1], get(f"{base}/indicators/LE-2.1?lang={lang}")[1]]
        listed = json.loads(get(f"{base}/api/indicators")[1])
        ready = json.loads(get(f"{base}/readyz")[1])
        exactly = {
            one["uncounted"] for one in json.loads(get(f"{base}/api/indicators", Authorization="Bearer secret")[1])
        }
    finally:
        fold.state.aside.clear()
    assert [said in page and (('class="warning"' in page) is bool(number)) for page in pages] == [True, True]
    assert {one["uncounted"] for one in listed} == {ready["uncounted"]} == {number}
    assert exactly == {number}
    assert ready["faults"] == ["the fold of INTEL stands"]


def test_the_operators_token_and_only_it_shows_exact_figures(base):
    def values(**headers):
        return [
            one["value"]
            for one in json.loads(get(f"{base}/api/indicators/VA-4.1?as_of=2004-12-31", **headers)[1])["values"]
        ]

    assert values() == values(Authorization="Bearer wrong") == values(Authorization="secret") == []
    assert values(Authorization="Bearer secret") == [1, 1]


def test_one_event_that_no_figure_has_is_told_to_the_operator_only(fold, base):
    fold.state.aside["victims"] = Aside({1: "OverflowError"})
    try:
        public, exact = (
            json.loads(get(f"{base}/readyz", **headers)[1])["uncounted"]
            for headers in ({}, {"Authorization": "Bearer secret"})
        )
    finally:
        fold.state.aside.clear()
    assert (public, exact) == (0, 1)


def test_the_operators_own_address_of_the_metrics_is_nobody_elses(base):
    assert get(f"{base}/metrics/operator")[0] == 403
    status, exact, _ = get(f"{base}/metrics/operator", Authorization="Bearer secret")
    assert status == 200
    assert exact == get(f"{base}/metrics", Authorization="Bearer secret")[1] != get(f"{base}/metrics")[1]
    assert "crm_suppressed_cells{" in exact


def test_contracts_are_served(base):
    assert json.loads(get(f"{base}/contracts/asyncapi.json")[1])["asyncapi"].startswith("3.")
    for wire in registry():
        status, body, _ = get(f"{base}/contracts/schemas/{wire}.json")
        assert status == 200
        assert json.loads(body)["$schema"]


def test_metrics_health_and_readiness(base):
    assert 'crm_treaty_parties{instrument="TIP"} 2.0' in get(f"{base}/metrics")[1]
    assert get(f"{base}/healthz")[0] == 200
    assert get(f"{base}/readyz")[0] == 503
    assert get(f"{base}/static/board.css")[0] == 200


@pytest.mark.parametrize("identity", ["XC-4", "IE-1.2", "LE-2.1", "PC-1a", "VA-4.1"])
def test_a_pages_table_has_a_heading_for_each_of_its_columns(base, identity):
    _, body, _ = get(f"{base}/indicators/{identity}?lang=en&as_of=2003-12-31")
    for table in re.findall(r"<table>.*?</table>", body, re.DOTALL):
        head, *rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        widths = {len(re.findall(r"<t[hd]", line)) for line in [head, *rows]}
        assert len(widths) == 1


def test_a_trend_says_what_it_compares_and_a_further_figure_where_it_belongs(base):
    trend = json.loads(get(f"{base}/api/indicators/PC-1c.trend?as_of=2004-12-31")[1])
    assert trend["window"] == {"since": "2004-07-03", "until": "2004-12-31"}
    assert trend["baseline"] == {"since": "2004-01-03", "until": "2004-07-02"}
    assert (trend["partial"], trend["silent"], trend["belongs"]) == (False, [], "PC-1c")
    assert "partial" not in json.loads(get(f"{base}/api/indicators/PC-1c")[1])
    assert "Compares" in get(f"{base}/indicators/PC-1a?lang=en&as_of=2004-12-31")[1]


def test_objectives_as_json_have_every_level_and_row_with_its_verdict(base):
    areas = {area["id"]: area for area in json.loads(get(f"{base}/api/objectives?as_of=2003-12-31")[1])}
    assert [*areas] == [area.id for area in PLAN.areas]
    (objective,) = areas["PC"]["below"]
    assert objective["text"]["es"].startswith("Diseñar, difundir y ejecutar planes de operación")
    assert objective["responsible"]["es"] == "Institución responsable del Control Migratorio de cada país miembro."
    assert [entry["by"] for entry in objective["schedule"]] == [["MS-PC-1"], ["MS-PC-2"]]
    result = objective["below"][0]
    assert (result["id"], result["level"], result["resources"]) == ("PC-R1.1", "result", objective["resources"])
    assert [node["id"] for node in result["below"]] == [f"PC-A1.1.{n}" for n in range(1, 6)]
    (treaties,) = (node for node in areas["LE"]["below"][1]["below"] if node["id"] == "LE-R2.1")
    (acts,) = (row for row in treaties["rows"] if row["id"] == "LE-2.1")
    assert (acts["verdict"], acts["unknown"]) == ("not_met", None)
    (joint,) = (row for row in objective["rows"] if row["id"] == "PC-1a")
    assert (joint["verdict"], joint["unknown"]) == ("not_known", "no_data")
    assert treaties["degree"] == {"met": 0, "not_met": 1, "not_known": 0, "no_target": 2}


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("es", ["Objetivo 1", "Establecer un marco conceptual común.", "El Plan no lo indica.", "Metas cumplidas"]),
        ("en", ["Objective 1", "To establish a common conceptual framework.", "The Plan does not say.", "Targets met"]),
        ("fr", ["Objectif 1", "Établir un cadre conceptuel commun.", "Le Plan ne le précise pas.", "Cibles atteintes"]),
    ],
)
def test_the_page_of_objectives_shows_all_in_three_languages(base, lang, said):
    body = html.unescape(get(f"{base}/objectives?lang={lang}")[1])
    for text in said:
        assert text in body
    for node in PLAN.hierarchy.nodes.values():
        assert f'id="{node.id}"' in body
        assert words(lang).title(node.text) in body
    for row in PLAN.rows.values():
        assert row.belongs or f">{row.id}</span>" in body
    assert f'href="/objectives?lang={lang}"' in get(f"{base}/?lang={lang}")[1]


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("es", ["Cómo se calcula", "Dos de once países lo usan.", "Secretaría Virtual.", "Resultado 1.1", "retira"]),
        ("en", ["How this is computed", "Two of eleven countries", "Virtual Secretariat.", "Result 1.1", "withdraws"]),
        ("fr", ["Comment cela se calcule", "Deux pays sur onze", "Secrétariat virtuel.", "Résultat 1.1", "retire"]),
    ],
)
def test_an_indicators_page_shows_its_place_and_how_it_is_computed(base, lang, said):
    body = html.unescape(get(f"{base}/indicators/IE-1.1?lang={lang}")[1])
    for text in said:
        assert text in body
    computed = body.partition('id="worked"')[2]
    assert "<code>intel.manual.adopted</code>" in computed
    assert computed.count('<span class="badge not_met">') == 3


def test_every_worked_example_can_be_shown(base):
    for identity in WORKED:
        if identity in PLAN.rows:
            for lang in ("es", "en", "fr"):
                body = html.unescape(get(f"{base}/indicators/{identity}?lang={lang}")[1])
                assert words(lang).title(WORKED[identity].text) in body
