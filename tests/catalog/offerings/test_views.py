import html5lib


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
    assert "The group Network security. One agrees within 1 working day." in text
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
