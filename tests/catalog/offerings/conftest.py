"""A small offering as text, and a context that answers like the demo's targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from catalog.fulfilment.connectors.contract import Choice
from catalog.fulfilment.connectors.firewall.checks import Problem
from catalog.fulfilment.connectors.firewall.checks import check_answers as check_firewall
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from catalog.offerings.facts import PersonFacts
from catalog.offerings.form_context import FormContext, same_name
from catalog.offerings.language import OfferingDocument
from catalog.offerings.reading import read_offering
from portal.demo_targets.scim import ROLES

TODAY = date(2026, 11, 18)
ROSA = PersonFacts("rosa.requester", "Rosa Requester", "rosa@meridian.example", "sales", "Sales", "Clerk")
JOSE = PersonFacts("jose.almeida", "José Almeida", "jose@meridian.example", "energia", "Energia", "Director")
ALEX_1 = PersonFacts("alex.kim", "Alex Kim", "alex.kim@meridian.example", "sales", "Sales", "")
ALEX_2 = PersonFacts("alex.kim2", "Alex Kim", "alex.kim2@meridian.example", "freight", "Freight", "")

SMALL = """\
slug: small-thing
name: A small thing
summary: One small thing for a day.
description: A small thing, for tests.
category: Tests
owner: crm-owners
controls:
  SOC 2 TSC 2017: [CC6.1]
undone: The thing is taken away.
form:
  sections:
    - title: What
      fields:
        - kind: person
          name: person
          label: Who is it for?
          default: {from: profile.self}
        - kind: one_of
          name: colour
          label: Colour
          choices:
            - {value: red, label: Red}
            - {value: blue, label: Blue}
        - kind: number
          name: amount
          label: Amount
          maximum: 50
          required: false
        - kind: long_text
          name: reason
          label: Reason
          at_least: 5
          at_most: 100
        - kind: date
          name: until
          label: Until when?
          latest_days: 100
beneficiary: person
reason: reason
title: "'A ' + answers.colour + ' thing for ' + beneficiary.name"
rules:
  - check: answers.colour != "blue" || answers.amount <= 10
    message: Blue ones come in tens at most.
    field: amount
risk:
  reasons:
    - when: answers.colour == "red"
      points: 30
      because: Red is seen from afar
    - when: answers.amount > 20
      points: 30
      because: It is many
route:
  stages:
    - slug: line-manager
      name: Line manager
      approvers: {relation: line-manager}
      target: 8h
    - slug: owners
      name: Owners
      when: risk.level != "low"
      approvers: {group: crm-owners}
      target: 1d
target: 2d
fulfilment:
  - step: put
    name: Put it there
    connector: shelf
    action: put
    with:
      colour: {answer: colour}
      label: {cel: "'for ' + beneficiary.user_name"}
      days: 3
ends: {date: until}
longest_days: 60
example:
  person: Rosa Requester
  colour: red
  reason: For a test.
  until: {days_from_today: 30}
"""


@dataclass
class StaticPeople:
    """A few people, found as the portal's directory finds them."""

    people: Sequence[PersonFacts] = (ROSA, JOSE, ALEX_1, ALEX_2)

    def find(self, text: str) -> Sequence[PersonFacts]:
        exact = [p for p in self.people if text.casefold() in {p.user_name, p.email}]
        return exact or [p for p in self.people if same_name(p.name, text)]

    def suggestions(self) -> Sequence[PersonFacts]:
        return self.people


@dataclass
class Targets:
    """What the demo's directory and firewall offer; `trouble` is raised instead when it is set."""

    trouble: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def choices(self, connector: str, name: str) -> Sequence[Choice]:
        self.asked.append(f"{connector}.{name}")
        if self.trouble is not None:
            raise self.trouble
        if connector == "scim":
            return [Choice(name, name) for name in ROLES.values()]
        return [Choice(zone.name, zone.label, "") for zone in ZONES.values()]

    def judge(self, connector: str, answers: Mapping[str, Any]) -> Sequence[Problem]:
        self.asked.append(f"{connector}.check")
        if self.trouble is not None:
            raise self.trouble
        return check_firewall(answers, ZONES, BASELINE.values())


@pytest.fixture
def targets() -> Targets:
    return Targets()


@pytest.fixture
def context(targets: Targets) -> FormContext:
    """Rosa fills a form in on 18 November 2026."""
    return FormContext(ROSA, TODAY, StaticPeople(), targets.choices, targets.judge)


@pytest.fixture
def small() -> str:
    """The small offering's text."""
    return SMALL


@pytest.fixture
def offering_with() -> Callable[..., OfferingDocument]:
    """Gives the small offering with parts of its text replaced, in pairs of old and new."""

    def make(*pairs: str) -> OfferingDocument:
        text = SMALL
        for old, new in zip(pairs[::2], pairs[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        return read_offering(text, "small.yaml")

    return make
