"""Numbers that no database can hold."""

from __future__ import annotations

import pytest
from flask import Flask, request

from portal.web.numbers import LARGEST, Number, PortalRequest


@pytest.fixture
def app() -> Flask:
    app = Flask("numbers")
    app.request_class = PortalRequest
    app.url_map.converters["int"] = Number

    @app.route("/things/<int:number>", methods=["GET", "POST"])
    def thing(number: int) -> dict[str, object]:
        return {
            "number": number,
            "before": request.args.get("before", type=int),
            "version": request.form.get("version", 0, type=int),
            "text": request.args.get("text"),
        }

    return app


@pytest.mark.parametrize(("number", "status"), [(0, 200), (LARGEST, 200), (LARGEST + 1, 404), (10**30, 404)])
def test_an_address_holds_what_a_column_holds(app, number, status):
    assert app.test_client().get(f"/things/{number}").status_code == status


@pytest.mark.parametrize(
    ("sent", "read"),
    [("7", 7), ("-7", -7), (str(LARGEST), LARGEST), (str(LARGEST + 1), None), (str(-(10**30)), None)],
)
def test_a_larger_number_counts_as_none(app, sent, read):
    answer = app.test_client().post(f"/things/1?before={sent}&text={sent}", data={"version": sent})
    assert answer.json == {"number": 1, "before": read, "version": read or 0, "text": sent}
