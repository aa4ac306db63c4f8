"""Importing assets: all or nothing, and every mistake with its row and its column."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from catalog.assets.importing import import_assets
from catalog.assets.model import Asset
from catalog.assets.reading import COLUMNS, AssetFileError, read_assets
from catalog.assets.register import Register
from portal.audit.model import Entry
from portal.demo.prepare import DEMO_ASSETS
from portal.identity.actor import PORTAL

CSV = """id,name,kind,owner,criticality,zone,addresses,unit
APP-1,Customer system,application,crm-owners,high,servers,10.8.1.10; 10.8.1.0/24,holding
APP-2,Payroll,application,olga.owner,critical,servers,,
"""
YAML = """
assets:
  - {id: APP-1, name: Customer system, kind: application, owner: crm-owners, criticality: high, zone: servers,
     addresses: [10.8.1.10, 10.8.1.0/24], unit: holding}
  - {id: APP-2, name: Payroll, kind: application, owner: olga.owner, criticality: critical, zone: servers}
"""


def load(db, content: str, name: str = "assets.csv"):
    lines = read_assets(content.encode(), name)
    with db.transaction() as session:
        return import_assets(session, PORTAL, lines)


def assets(db) -> dict[str, Asset]:
    with db.reading() as session:
        return {asset.asset_id: asset for asset in session.scalars(select(Asset))}


def entries(db) -> list[dict]:
    with db.reading() as session:
        bodies = session.scalars(
            select(Entry.body).where(Entry.tag == "assets:imported").order_by(Entry.number)
        )
        return [json.loads(body)["facts"] for body in bodies]


@pytest.mark.on_sqlite
def test_the_list_becomes_that_of_the_file(db, cast):
    done = load(db, CSV)
    assert (done.assets, done.added, done.changed, done.deactivated) == (2, 2, 0, 0)
    found = assets(db)
    assert found["APP-1"].addresses == ["10.8.1.0/24"]  # the one address lies in the network
    assert found["APP-2"].owner_id == cast.owner
    assert found["APP-1"].owner_group_id and not found["APP-1"].owner_id
    assert entries(db)[-1]["added"] == 2
    assert entries(db)[-1]["digest"].startswith("sha256:")


@pytest.mark.on_sqlite
def test_yaml_and_csv_say_the_same(db, cast):
    load(db, CSV)
    again = load(db, YAML, "assets.yaml")
    assert (again.added, again.changed, again.deactivated) == (0, 0, 0)
    first, second = entries(db)
    assert first["digest"] == second["digest"]


def test_importing_again_changes_only_what_changed(db, cast):
    load(db, CSV)
    done = load(db, CSV.replace(",critical,", ",low,"))
    assert (done.added, done.changed, done.deactivated) == (0, 1, 0)
    assert assets(db)["APP-2"].criticality == "low"


def test_what_is_missing_is_deactivated_and_may_come_back(db, cast):
    load(db, CSV)
    done = load(db, "\n".join(CSV.splitlines()[:2]))
    assert done.deactivated == 1
    assert not assets(db)["APP-2"].active
    with db.reading() as session, pytest.raises(ValueError, match="No asset is called"):
        Register(session).find("APP-2")
    assert load(db, CSV).changed == 1
    assert assets(db)["APP-2"].active


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CSV.replace("high", "huge"), "row 2, criticality: 'huge' is none of low, medium, high, critical."),
        (CSV.replace("APP-2", "APP-1"), "row 3, id: APP-1 stands in row 2 already."),
        (CSV.replace("Payroll", ""), "row 3, name: This is empty."),
        (CSV.replace("Payroll", "x" * 201), "row 3, name: This is longer than 200 characters."),
        (CSV.replace("Payroll", "Pay\u202eroll"), "row 3, name: It holds a character that cannot be seen"),
        (CSV.replace("10.8.1.10;", "10.8.1.300;"), "row 2, addresses:"),
        (CSV.replace("10.8.1.10;", "1.2.3.4/0.0.0.255;"), "row 2, addresses:"),
        (CSV.replace("APP-2", "=cmd()"), "row 3, id: '=cmd()' is no id"),
        (
            CSV.replace("criticality", "criticallity"),
            "heading: There is no column 'criticallity'. Did you mean criticality?",
        ),
        (CSV.replace(",owner,", ",zone,"), "heading: The column owner is missing."),
        (CSV.replace("servers,,", "servers,,,,"), "row 3: This row has more cells than the heading."),
        (CSV + '"a', "no readable CSV"),
        ("id,name,kind,owner,criticality\n", "The file names no asset."),
        ("", "The column id is missing."),
    ],
)
def test_a_mistake_is_said_with_its_place_and_nothing_is_changed(db, cast, content, said):
    load(db, CSV)
    before = {key: asset.name for key, asset in assets(db).items()}
    with pytest.raises(AssetFileError) as raised:
        load(db, content)
    assert said in raised.value.sentence
    assert "assets.csv" in raised.value.sentence
    assert {key: asset.name for key, asset in assets(db).items()} == before
    assert len(entries(db)) == 1


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            CSV.replace("crm-owners", "crm-owner"),
            "row 2, owner: There is no group or active person 'crm-owner'. Did you mean 'crm-owners'?",
        ),
        (CSV.replace("olga.owner", "lena.leaver"), "row 3, owner:"),
        (
            CSV.replace(",holding", ",holdng"),
            "row 2, unit: There is no unit 'holdng'. Did you mean 'holding'?",
        ),
    ],
)
def test_an_owner_or_unit_that_is_not_there_stops_the_whole_import(db, cast, content, said):
    with pytest.raises(AssetFileError) as raised:
        load(db, content)
    assert said in raised.value.sentence
    assert assets(db) == {}


@pytest.mark.parametrize(
    "content",
    [
        "assets: 7",
        "other: []",
        "assets:\n  - 7",
        "assets:\n  - {id: a, nme: b}",
        "a: &a [*a]",
        "assets: [{id: 1",
    ],
)
def test_broken_yaml_is_a_sentence(content):
    with pytest.raises(AssetFileError) as raised:
        read_assets(content.encode(), "assets.yaml")
    assert raised.value.sentence.startswith("assets.yaml")


@given(st.binary(max_size=300))
def test_no_bytes_are_a_traceback(content):
    for name in ("a.csv", "a.yaml"):
        problems = ("read",)
        try:
            read_assets(content, name)
        except AssetFileError as error:
            problems = error.problems
        assert problems


def test_the_demonstration_has_forty_assets_that_can_be_read():
    lines = read_assets(DEMO_ASSETS.read_bytes(), DEMO_ASSETS.name)
    assert len(lines) >= 40
    assert set(asdict(lines[0])) == {*COLUMNS, "row"}


@pytest.mark.on_sqlite
def test_the_register_finds_by_id_name_and_label(db, cast):
    load(db, CSV)
    with db.reading() as session:
        register = Register(session)
        for text in ("APP-1", "app-1", "Customer system", "customer SYSTEM", "Customer system (APP-1)"):
            assert register.find(text).id == "APP-1"
        with pytest.raises(ValueError, match="Did you mean Customer system"):
            register.find("Custmer system")
        assert register.find("APP-1").owner_rule == "group:crm-owners"
        assert register.find("APP-2").owner_rule == f"person:{cast.owner}"
