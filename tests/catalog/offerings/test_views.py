import re

import html5lib
import pytest

pytestmark = pytest.mark.on_sqlite


def text_of(page):
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    return " ".join(" ".join(tree.itertext()).split())


def test_the_catalogue_is_shown_searched_and_leads_to_an_offering(site):
    rosa = site.visitor("beatriz.sousa")
    page = rosa.get(f"{site.url}/catalogue")
    assert page.status_code == 200
    html5lib.HTMLParser(strict=True).parse(page.text)
    text = text_of(page.text)
    for name in ("Application access", "TLS server certificate", "Firewall rule", "About 2 working days"):
        assert name in text

    searched = text_of(rosa.get(f"{site.url}/catalogue", params={"q": "https"}).text)
    assert "TLS server certificate" in searched
    assert "Firewall rule" not in searched
    empty = rosa.get(f"{site.url}/catalogue", params={"q": "<img src=x> {{7*7}}"})
    assert "No service matches" in empty.text
    assert "<img src=x>" not in empty.text
    assert "{{7*7}}" in empty.text
    assert rosa.get(f"{site.url}/catalogue", params={"q": "x" * 5000}).status_code == 200

    offering = rosa.get(f"{site.url}/catalogue/firewall-rule")
    assert offering.status_code == 200
    html5lib.HTMLParser(strict=True).parse(offering.text)
    text = text_of(offering.text)
    assert ", where the risk is medium or higher" in text
    assert "The group Network security. One agrees within 1 working day, asked at the same time" in text
    assert "Version 1" in text
    assert 'href="/catalogue/firewall-rule/request"' in offering.text

    missing = rosa.get(f"{site.url}/catalogue/unheard-of")
    assert missing.status_code == 404
    assert "There is no such service in the catalogue" in text_of(missing.text)
    assert "/catalogue" in missing.text


def test_the_catalogue_is_for_people_who_are_signed_in(site):
    for path in ("/catalogue", "/catalogue/firewall-rule", "/catalogue/unheard-of"):
        answer = site.visitor().get(site.url + path, allow_redirects=False)
        assert answer.status_code in {302, 303}
        assert "/sign-in" in answer.headers["Location"]
        assert "Firewall" not in answer.text


def test_a_german_reader_finds_reads_and_fills_in_german(site):
    ingrid = site.visitor("ingrid.vogel")
    catalogue = text_of(ingrid.get(f"{site.url}/catalogue").text)
    assert "Zugriff auf eine Anwendung" in catalogue
    assert "Application access" not in catalogue
    for term in ("Firewall-Regel", "firewal-regell", "Datenverkehr"):
        found = text_of(ingrid.get(f"{site.url}/catalogue", params={"q": term}).text)
        assert "Lassen Sie Datenverkehr zwischen zwei Netzzonen" in found, term

    offering = text_of(ingrid.get(f"{site.url}/catalogue/firewall-rule").text)
    assert "Führungskraft" in offering
    assert "wenn das Risiko mittel oder höher ist" in offering
    assert "Sie lässt das Internet herein" in offering

    page = ingrid.get(f"{site.url}/catalogue/firewall-rule/request")
    html5lib.HTMLParser(strict=True).parse(page.text)
    form = text_of(page.text)
    for text in ("Von wo nach wo", "Quelladressen", "Eine je Zeile, in CIDR-Form.", "10.1.4.16/28"):
        assert text in form

    answers = {
        name: re.search(rf'name="{name}" value="([^"]+)"', page.text)[1] for name in ("csrf_token", "_draft")
    }
    answers |= {
        "source_zone": "office",
        "source": "10.1.4.16/28",
        "destination_zone": "office",
        "destination": "",
        "protocol": "tcp",
        "ports": "443",
        "reason": "Die Disposition liest Frachtaufträge.",
        "rollback": "Wir nehmen die Regel zurück, wenn etwas stehen bleibt.",
        "until": "2027-01-15",
    }
    refused = ingrid.post(f"{site.url}/catalogue/firewall-rule/request", data=answers)
    assert "Geben Sie mindestens eine Zieladresse oder ein Zielnetz ein." in text_of(refused.text)
    refused = ingrid.post(
        f"{site.url}/catalogue/firewall-rule/request", data={**answers, "destination": "10.1.9.9"}
    )
    assert "Wählen Sie zwei verschiedene Zonen." in text_of(refused.text)
    # An English reader of the same portal reads English.
    assert "Firewall rule" in text_of(site.visitor("beatriz.sousa").get(f"{site.url}/catalogue").text)
