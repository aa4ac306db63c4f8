import pytest

from catalog.offerings.catalogue import card_of, categories_of, groups_named, page_of, time_text
from catalog.offerings.reading import read_offering
from portal.core.assets import services_folder


@pytest.fixture(scope="module")
def shipped():
    names = ("application-access", "tls-certificate", "firewall-rule")
    return {name: read_offering((services_folder() / f"{name}.yaml").read_bytes(), name) for name in names}


def found(documents, search):
    return [card.slug for category in categories_of(documents.values(), search) for card in category.cards]


def test_few_offerings_are_one_list_whose_cards_say_their_category(shipped):
    (services,) = categories_of(shipped.values())
    assert [card.facts[0] for card in services.cards] == ["Access", "Certificates", "Network"]


def test_many_offerings_stand_by_category_in_order_of_their_names(shipped):
    firewall = shipped["firewall-rule"]
    more = [firewall.model_copy(update={"slug": f"rule-{n}", "name": f"Éxtra rule {n}"}) for n in range(7)]
    categories = categories_of([*more, *shipped.values()])
    assert [category.name for category in categories] == ["Access", "Certificates", "Network"]
    assert [card.name for card in categories[2].cards] == [
        *(f"Éxtra rule {n}" for n in range(7)),
        "Firewall rule",
    ]


@pytest.mark.parametrize(
    ("search", "slugs"),
    [
        ("", ["application-access", "tls-certificate", "firewall-rule"]),
        ("firewall", ["firewall-rule"]),
        ("HTTPS", ["tls-certificate"]),
        ("crm login", ["application-access"]),
        ("  Pórt ", ["firewall-rule"]),
        ("certificate firewall", []),
        ("nothing like it", []),
    ],
)
def test_search_reads_names_summaries_and_keywords_and_wants_every_word(shipped, search, slugs):
    assert [slug for slug in found(shipped, search) if slug in slugs] == slugs
    assert (not slugs) == (found(shipped, search) == [])


def test_a_card_promises_a_time_and_how_many_approvals(shipped):
    card = card_of(shipped["application-access"])
    assert card.facts == ("About 2 working days", "1 or 2 approvals")
    assert card.drawing == "key"
    assert card_of(shipped["tls-certificate"]).facts[1] == "1 to 3 approvals"


def test_the_page_says_who_decides_when_and_by_when(shipped):
    document = shipped["firewall-rule"]
    assert groups_named(document) == {"network-security"}
    page = page_of(document, number=4, group_names={"network-security": "Network security"})
    first, second, third = page.stages
    assert (first.who, first.when, first.decides) == (
        "The line manager of the person who asks",
        "",
        "One agrees within 1 working day",
    )
    assert (second.who, second.when) == ("The group Network security", "Where the risk is medium or higher")
    assert second.name == "Network security and the application: Network security"
    assert third.name == "Network security and the application: Owner of the application"
    assert (third.who, third.when) == ("Whoever owns what is named", "Where the risk is high")
    assert (first.together, second.together, third.together) == (False, True, True)
    assert page.ends == "By itself, at the end of the day that you choose, at most 365 days."
    assert page.version == "Version 4"
    assert page.undone and not page.irreversible
    assert dict(page.controls)["PCI DSS 4.0"].startswith("1.2.2, 1.2.5")


def test_a_group_that_the_portal_does_not_know_is_shown_by_its_slug(shipped):
    page = page_of(shipped["firewall-rule"], number=1, group_names={})
    assert page.stages[1].who == "The group network-security"


@pytest.mark.parametrize(
    ("approvers", "who"),
    [
        ("{relation: manager-of-manager}", "The line manager's own manager of the person who receives it"),
        ("{relation: unit-head, of: requester}", "The head of the unit of the person who asks"),
        ("{owner_of_group: crm-owners}", "The owner of the group crm-owners"),
        ("{group_from: \"'a'\"}", "The group that owns what is asked for"),
    ],
)
def test_every_way_of_approving_has_its_words(offering_with, approvers, who):
    document = offering_with(
        "{group: crm-owners}", approvers, "      target: 1d", "      quorum: all\n      target: 1d"
    )
    page = page_of(document, number=1, group_names={})
    assert page.stages[1].who == who
    assert page.stages[1].decides == "All of them agree within 1 working day"
    assert page.stages[1].when == "Where the answers ask for it"


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("30m", "30 working minutes"),
        ("60m", "1 working hour"),
        ("8h", "1 working day"),
        ("9h", "9 working hours"),
        ("2d", "2 working days"),
    ],
)
def test_a_working_time_is_said_in_its_largest_unit(time, text):
    assert time_text(time) == text
