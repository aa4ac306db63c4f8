"""The page of the holders: operators act on it, compliance and auditors look on, nobody else sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from portal.app import create_app
from portal.audit.holders.configured import Holders, holders_of
from portal.audit.holders.folder import FolderHolder
from portal.audit.holders.hand_over import hand_to
from portal.audit.holders.mail import MailHolder
from portal.audit.holders.witness import WitnessHolder
from portal.cli import cli
from portal.core.database import Database
from portal.core.errors import SettingsError
from portal.core.settings import Settings
from portal.doctor.check import Check, State
from portal.doctor.holders import check_holders
from portal.wiring import Portal, build
from tests.catalog.requests.conftest import Web
from tests.fixtures_people import Cast, StandingClock
from tests.portal.audit.holders.ledger import ORIGIN, Ledger
from tests.portal.audit.holders.witness import Witness

pytestmark = pytest.mark.on_sqlite
PAGE = "/ledger/holders"


@pytest.fixture
def web(settings: Settings, db: Database, holder: WitnessHolder, clock: StandingClock) -> Web:
    """The portal with three holders."""
    parts: dict[str, Any] = {
        name: getattr(build(settings, clock=clock), name) for name in Portal.__dataclass_fields__
    }
    holders = Holders((FolderHolder(settings.checkpoint_folder), holder, MailHolder("ada@examiner.example")))
    portal = Portal(**(parts | {"db": db, "holders": holders}))
    return Web(portal, create_app(portal=portal))


def test_it_shows_who_holds_what_and_how_far_behind(
    web: Web, ledger: Ledger, cast: Cast, holder: WitnessHolder, witness: Witness, clock: StandingClock
) -> None:
    browser = web.browser(cast.compliance)
    assert "No checkpoint was signed yet." in browser.get(PAGE)
    first = ledger.grow(34).size
    assert hand_to(ledger.db, holder)
    witness.instead = (503, "text/plain", b"")
    last = ledger.grow(2).size
    clock.pass_time(hours=2)
    assert not hand_to(ledger.db, holder)
    browser = web.browser(cast.compliance)
    page = browser.get(PAGE)
    assert "witness.test/w1" in page
    assert f"{first} entries" in page and f"{last - first} entries" in page and f"{last} entries" in page
    assert "witness.test/w1 answered 503." in page
    assert page.count("Late") == 2, "the folder and the witness; a mail has a day"
    assert "ada@examiner.example" in page
    assert "Try all of them now" not in page
    assert len(web.counting(lambda: browser.get(PAGE))) <= 8
    web.browser(cast.auditor).get(PAGE)
    web.browser(cast.requester).get(PAGE, status=403)


def test_an_operator_has_them_tried_without_their_pause(
    web: Web, ledger: Ledger, cast: Cast, holder: WitnessHolder, witness: Witness
) -> None:
    ledger.grow(1)
    witness.instead = (503, "text/plain", b"")
    assert not hand_to(ledger.db, holder)
    assert ledger.state(holder).next_at is not None
    browser = web.browser(cast.operator)
    assert "Try all of them now" in browser.get(PAGE)
    browser.post(f"{PAGE}/try")
    assert ledger.state(holder).next_at is None
    onlooker = web.browser(cast.compliance)
    onlooker.get(PAGE)
    onlooker.post(f"{PAGE}/try", status=403)


def test_a_holder_that_says_otherwise_stands_on_both_pages(
    web: Web, ledger: Ledger, cast: Cast, holder: WitnessHolder, witness: Witness
) -> None:
    browser = web.browser(cast.operator)
    assert "says that the ledger is another one" not in browser.get("/operations")
    ledger.grow(3)
    witness.heads[ORIGIN] = (9, bytes(32))
    assert not hand_to(ledger.db, holder)
    assert "A holder of checkpoints says that the ledger is another one." in browser.get("/operations")
    assert "witness.test/w1 says that the ledger is another one." in browser.get(PAGE)


@pytest.fixture
def environment(tmp_path: Path, database_url: str, witness: Witness) -> dict[str, str]:
    return {
        "COUNTERSIGN_HOME": str(tmp_path / "home"),
        "DATABASE_URL": database_url,
        "CHECKPOINT_GIT_REMOTE": str(tmp_path / "held.git"),
        "CHECKPOINT_MAIL": "ada@examiner.example, bo@examiner.example",
        "CHECKPOINT_WITNESSES": f"{witness.url} {witness.vkey}",
    }


def test_the_doctor_and_the_command_line_tell_of_each_holder(
    environment: dict[str, str],
    ledger: Ledger,
    holder: WitnessHolder,
    witness: Witness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found() -> dict[str, Check]:
        checks = check_holders(Settings.from_environment(environment))
        return {check.name.split("-")[0]: check for check in checks}

    first = found()
    assert set(first) == {"Holder folder", "Holder git", "Holder witness", "Holder mail"}
    assert first["Holder mail"].state is State.OK
    assert "not a public address" in first["Holder witness"].finding
    assert first["Holder git"].state is State.WARN
    environment["OUTGOING_NETWORKS"] = "127.0.0.0/8"
    assert found()["Holder witness"].state is State.OK
    ledger.grow(2)
    assert hand_to(ledger.db, holder)
    assert "2 entries" in found()["Holder witness"].finding
    witness.heads[ORIGIN] = (99, bytes(32))
    ledger.grow(1)
    assert not hand_to(ledger.db, holder)
    assert found()["Holder witness"].state is State.FAIL
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("portal.core.migrate.require_head", lambda _settings: None)
    done = CliRunner().invoke(cli, ["audit", "holders"])
    assert done.exit_code == 1
    assert "Says otherwise" in done.output and "99 entries" in done.output


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("CHECKPOINT_WITNESSES", "https://witness.example", "pairs"),
        ("CHECKPOINT_WITNESSES", "https://witness.example a+b+c", "verifier key"),
        ("CHECKPOINT_WITNESSES", "ftp://witness.example {vkey}", "plain https"),
        ("CHECKPOINT_MAIL", "nobody", "no mail address"),
        ("CHECKPOINT_MAIL_HOURS", "0", "above zero"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(
    witness: Witness, variable: str, value: str, sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence) as refused:
        holders_of(Settings.from_environment({variable: value.format(vkey=witness.vkey)}))
    assert variable in str(refused.value)
