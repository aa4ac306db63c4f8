"""Offering files that somebody could write by mistake: each is refused at its line, with its field, in words."""

import pytest

from catalog.offerings.reading import OfferingFileError, read_offering

#: (what is replaced, by what, the field named, part of the message). The line expected is that of the mark §.
FILES = {
    # Keys that are no keys, or not there
    "misspelt-top": ("owner:", "§onwer:", "onwer", "did you mean 'owner'?"),
    "misspelt-in-form": ("  sections:", "  §section:", "form.section", "did you mean 'sections'?"),
    "misspelt-in-field": ("          maximum: 50", "          §maximun: 50", "form.sections[0].fields[2].maximun", "'maximum'?"),
    "key-of-another-kind": ("          maximum: 50", "          §rows: 3", "form.sections[0].fields[2].rows", "no key 'rows'"),
    "misspelt-in-choice": ("label: Red}", "labl: Red}§", "form.sections[0].fields[1].choices[0].labl", "'label'?"),
    "misspelt-in-rule": ("    message: Blue", "    §mesage: Blue", "rules[0].mesage", "did you mean 'message'?"),
    "misspelt-in-reason": ("      because: It is many", "      §becaus: It is many", "risk.reasons[1].becaus", "'because'?"),
    "misspelt-in-stage": ("      target: 8h", "      §tarject: 8h", "route.stages[0].tarject", "'target'?"),
    "misspelt-in-approvers": ("{group: crm-owners}", "{groups: crm-owners}§", "route.stages[1].approvers.groups", "'group'?"),
    "misspelt-in-step": ("    connector: shelf", "    §conector: shelf", "fulfilment[0].conector", "'connector'?"),
    "misspelt-with": ("    with:", "    §wth:", "fulfilment[0].wth", "'with'?"),
    "misspelt-in-parameter": ("{answer: colour}", "{anwser: colour}§", "fulfilment[0].with.colour.anwser", "'answer'?"),
    "misspelt-in-ends": ("ends: {date: until}", "ends: {dat: until}§", "ends.dat", "'date'?"),
    "misspelt-in-default": ("{from: profile.self}", "{form: profile.self}§", "form.sections[0].fields[0].default.form", "'from'?"),
    "merge-key": ("category: Tests", "category: Tests\n§<<: {owner: x}", "<<", "no key '<<'"),
    "no-slug": ("slug: small-thing\n", "", "", "'slug' is missing"),
    "no-form-field-label": ("          label: Reason\n", "", "form.sections[0].fields[3]", "'label' is missing"),
    "no-kind": ("        - kind: date\n          name: until", "        - §name: until", "form.sections[0].fields[4]", "'kind' is missing"),
    "no-route": ("route:\n  stages:", "§rout:\n  stages:", "rout", "did you mean 'route'?"),
    "no-stages": ("route:\n  stages:", "route:\n  §stage:", "route.stage", "'stages'?"),
    "no-controls": ("controls:\n  SOC 2 TSC 2017: [CC6.1]\n", "", "", "'controls' is missing"),
    "no-approvers": ("      approvers: {group: crm-owners}\n", "", "route.stages[1]", "'approvers' is missing"),
    "no-undone": ("undone: The thing is taken away.\n", "", "", "how it is undone"),
    "undone-and-irreversible": ("undone: The", "irreversible: Never.\nundone: The", "", "how it is undone"),
    # Emergencies
    "emergency-without-committee": ("category: Tests", "category: Tests\n§kind: emergency", "kind", "decided by a committee"),
    "committee-of-nobodys-emergency": ("target: 2d", "emergency:\n  §committee: [{name: Chief, approvers: {group: soc}}]\n  first_aid: {steps: [put]}\ntarget: 2d", "emergency", "never an emergency"),
    "committee-of-one": ("target: 2d", "kind: emergency\nemergency:\n  committee: [{name: Chief, approvers: {group: soc}}]\n  first_aid: {steps: [put]}\n  §quorum: 1\ntarget: 2d", "emergency.quorum", ""),
    "first-aid-of-no-step": ("target: 2d", "kind: emergency\nemergency:\n  committee: [{name: Chief, approvers: {group: soc}}]\n  first_aid: {steps: [pot]}§\ntarget: 2d", "emergency.first_aid.steps[0]", "did you mean 'put'?"),
    "first-aid-of-no-field": ("target: 2d", "kind: emergency\nemergency:\n  committee: [{name: Chief, approvers: {group: soc}}]\n  first_aid: {steps: [put], choices: {color: [red]}}§\ntarget: 2d", "emergency.first_aid.choices.color", "did you mean 'colour'?"),
    "first-aid-of-no-choice": ("target: 2d", "kind: emergency\nemergency:\n  committee: [{name: Chief, approvers: {group: soc}}]\n  first_aid: {steps: [put], choices: {colour: [rde]}}§\ntarget: 2d", "emergency.first_aid.choices.colour[0]", "did you mean 'red'?"),
    "emergency-for-ever": ("undone: The thing is taken away.", "kind: emergency\n§irreversible: It is gone.\nemergency:\n  committee: [{name: Chief, approvers: {group: soc}}]\n  first_aid: {steps: [put]}", "irreversible", "possible to undo"),
    "seat-of-no-expression": ("target: 2d", "kind: emergency\nemergency:\n  committee: [{name: Chief, approvers: {group_from: nobody}}]§\n  first_aid: {steps: [put]}\ntarget: 2d", "emergency.committee[0].approvers.group_from", "no name 'nobody'"),
    "stage-of-the-portal": ("    - slug: owners", "    - §slug: break-glass", "route.stages[1].slug", "the portal's own stage"),
    # Words that are no words
    "unknown-kind": ("kind: date", "§kind: dates", "form.sections[0].fields[4].kind", "did you mean 'date'?"),
    "unknown-offering-kind": ("category: Tests", "category: Tests\n§kind: normally", "kind", "did you mean 'normal'?"),
    "unknown-relation": ("{relation: line-manager}", "{relation: line-manger}§", "route.stages[0].approvers.relation", "did you mean 'line-manager'?"),
    "unknown-profile-word": ("{from: profile.self}", "{from: profile.selve}§", "form.sections[0].fields[0].default.from", "'profile.self'?"),
    "unknown-quorum": ("      target: 1d", "      §quorum: most", "route.stages[1].quorum", ""),
    "unknown-weekday": ("target: 2d", "calendar: {days: [mon, tues]}§\ntarget: 2d", "calendar.days[1]", "did you mean 'tue'?"),
    "framework-misspelt": ("  SOC 2 TSC 2017:", "  §SOC 2 TSC 2071:", "controls.SOC 2 TSC 2071", "'SOC 2 TSC 2017'?"),
    "control-misspelt": ("[CC6.1]", "[CC6.11]§", "controls.SOC 2 TSC 2017[0]", "no control of SOC 2 TSC 2017"),
    "time-zone": ("target: 2d", "calendar: {timezone: Europe/Berln}§\ntarget: 2d", "calendar.timezone", "'Europe/Berlin'?"),
    "country": ("target: 2d", "calendar: {country: ZZ}§\ntarget: 2d", "calendar.country", "no country"),
    "subdivision": ("target: 2d", "calendar: {country: DE-ZZ}§\ntarget: 2d", "calendar.country", "no country"),
    # Values of the wrong type or form
    "slug-with-capitals": ("slug: small-thing", "§slug: Small-Thing", "slug", "small letters"),
    "slug-with-spaces": ("slug: small-thing", "§slug: small thing", "slug", "small letters"),
    "name-with-hyphen": ("          name: amount", "          §name: the-amount", "form.sections[0].fields[2].name", "underscores"),
    "name-is-number": ("name: A small thing", "§name: 5", "name", "put quotes around it"),
    "name-is-empty": ("name: A small thing", "§name:", "name", "this is empty"),
    "name-is-list": ("name: A small thing", "§name: [a, b]", "name", "this is a list"),
    "required-is-no": ("          required: false", "          §required: no", "form.sections[0].fields[2].required", "true and false only"),
    "required-is-number": ("          required: false", "          §required: 0", "form.sections[0].fields[2].required", "true or false is needed"),
    "maximum-is-text": ("          maximum: 50", "          §maximum: '50'", "form.sections[0].fields[2].maximum", "whole number is needed"),
    "maximum-is-decimal": ("          maximum: 50", "          §maximum: 50.5", "form.sections[0].fields[2].maximum", "whole number"),
    "points-are-text": ("      points: 30\n      because: It", "      §points: much\n      because: It", "risk.reasons[1].points", "the text 'much'"),
    "points-too-many": ("      points: 30\n      because: It", "      §points: 5000\n      because: It", "risk.reasons[1].points", "1000"),
    "target-without-unit": ("      target: 8h", "      §target: 8", "route.stages[0].target", "put quotes around it"),
    "target-in-weeks": ("      target: 8h", "      §target: 1w", "route.stages[0].target", "30m, 8h or 2d"),
    "target-of-nothing": ("target: 2d", "§target: 0d", "target", "30m, 8h or 2d"),
    "hours-of-another-form": ("target: 2d", "calendar: {hours: 9-17}§\ntarget: 2d", "calendar.hours", "09:00-17:00"),
    "controls-are-a-list": ("controls:\n  SOC 2 TSC 2017: [CC6.1]", "§controls: [CC6.1]", "controls", "a mapping of keys to values is needed"),
    "controls-are-numbers": ("[CC6.1]", "[1.2]§", "controls.SOC 2 TSC 2017[0]", "put quotes around it"),
    "controls-are-none": ("controls:\n  SOC 2 TSC 2017: [CC6.1]", "§controls: {}", "controls", "at least 1"),
    "sections-are-a-mapping": ("  sections:\n    - title: What\n      fields:", "  sections:\n      §title: What\n      fields:", "form.sections", "a list is needed"),
    "fields-are-none": ("rules:\n", "§keywords: access\nrules:\n", "keywords", "a list is needed"),
    "longest-is-negative": ("longest_days: 60", "§longest_days: -1", "longest_days", "greater than or equal to 1"),
    "quorum-of-nobody": ("      target: 1d", "      §quorum: 0", "route.stages[1].quorum", ""),
    "summary-too-long": ("summary: One small thing for a day.", "§summary: " + "long " * 100, "summary", "at most 300"),
    "summary-with-bidi": ("summary: One small", "§summary: One \u202e small", "summary", "U+202E"),
    "levels-fall": ("route:\n  stages:", "  §levels: {medium: 50, high: 20}\nroute:\n  stages:", "risk.levels", "must rise"),
    "two-ways-of-approving": ("{group: crm-owners}", "{group: crm-owners, relation: unit-head}§", "route.stages[1].approvers", "exactly one way"),
    "no-way-of-approving": ("{group: crm-owners}", "{of: requester}§", "route.stages[1].approvers", "exactly one way"),
    "ends-twice": ("ends: {date: until}", "§ends: {date: until, days: '5'}", "ends", "either date"),
    "ends-never": ("ends: {date: until}", "§ends: {}", "ends", "either date"),
    "step-parameter-list": ("      days: 3", "      §days: [3]", "fulfilment[0].with.days", ""),
    # Names that must exist, or exist once
    "field-twice": ("          name: amount", "          §name: colour", "form.sections[0].fields[2].name", "a field 'colour' already"),
    "stage-twice": ("    - slug: owners", "    - §slug: line-manager", "route.stages[1].slug", "a stage 'line-manager' already"),
    "choice-twice": ("{value: blue, label: Blue}", "{value: red, label: Blue}§", "form.sections[0].fields[1].choices[1].value", "a choice 'red' already"),
    "rule-at-no-field": ("    field: amount", "    §field: amont", "rules[0].field", "did you mean 'amount'?"),
    "beneficiary-no-field": ("beneficiary: person", "§beneficiary: persona", "beneficiary", "did you mean 'person'?"),
    "beneficiary-no-person": ("beneficiary: person", "§beneficiary: colour", "beneficiary", "no person field 'colour'"),
    "reason-no-text": ("reason: reason", "§reason: until", "reason", "no text field 'until'"),
    "ends-on-no-date": ("ends: {date: until}", "ends: {date: colour}§", "ends.date", "no date field 'colour'"),
    "longest-without-end": ("ends: {date: until}\n", "", "longest_days", "say in ends"),
    "owner-of-nothing": ("{group: crm-owners}", "{owner_of: colour}§", "route.stages[1].approvers.owner_of", "no field with resources"),
    "resource-of-no-field": ("target: 2d", "resources:\n  §colr: [{name: X, values: [a], owner: o}]\ntarget: 2d", "resources.colr", "did you mean 'colour'?"),
    "step-with-no-answer": ("{answer: colour}", "{answer: color}§", "fulfilment[0].with.colour.answer", "did you mean 'colour'?"),
    "example-of-no-field": ("example:\n  person: Rosa", "example:\n  §persn: Rosa", "example.persn", "did you mean 'person'?"),
    "default-no-choice": ("          choices:\n", "          §default: rde\n          choices:\n", "form.sections[0].fields[1].default", "'red'?"),
    "choices-missing": ("          choices:\n            - {value: red, label: Red}\n            - {value: blue, label: Blue}\n", "", "form.sections[0].fields[1]", "either choices or choices_from"),
    "choices-both": ("          choices:\n", "          choices_from: {connector: scim, name: roles}\n          choices:\n", "form.sections[0].fields[1]", "either choices"),
    "limits-cross": ("          at_most: 100", "          at_most: 4", "form.sections[0].fields[3].at_least", "more than at_most"),
    "numbers-cross": ("          maximum: 50", "          §minimum: 60\n          maximum: 50", "form.sections[0].fields[2].minimum", "more than maximum"),
    "dates-cross": ("          latest_days: 100", "          §earliest_days: 101\n          latest_days: 100", "form.sections[0].fields[4].earliest_days", "more than latest_days"),
    "decimal-default": ("          maximum: 50", "          §default: 1.5\n          maximum: 50", "form.sections[0].fields[2].default", "whole numbers"),
    # Expressions
    "cel-unknown-name": ('answers.colour == "red"', 'answers.color == "red"§', "risk.reasons[0].when", "did you mean 'answers.colour'?"),
    "cel-unknown-space": ('risk.level != "low"', 'level != "low"§', "route.stages[1].when", "no name 'level'"),
    "cel-unknown-function": ("answers.amount > 20", "days_betwen(today, answers.until) > 20§", "risk.reasons[1].when", "'days_between'?"),
    "cel-syntax": ("answers.amount > 20", "answers.amount >§", "risk.reasons[1].when", "Syntax error"),
    "cel-wrong-type": ("answers.amount > 20", "answers.amount§", "risk.reasons[1].when", "gives a whole number, and yes or no is needed"),
    "cel-mixed-types": ("answers.amount > 20", "answers.amount > '20'§", "risk.reasons[1].when", "no matching overload"),
    "cel-date-and-text": ('answers.colour == "red"', 'answers.until > "2026"§', "risk.reasons[0].when", "no matching overload"),
    "cel-risk-of-risk": ("answers.amount > 20", "risk.score > 20§", "risk.reasons[1].when", "no name 'risk.score'"),
    "cel-risk-in-rule": ('answers.colour != "blue" || answers.amount <= 10', "risk.score < 20§", "rules[0].check", "no name 'risk.score'"),
    "cel-title-no-text": ("title: \"'A ' + answers.colour + ' thing for ' + beneficiary.name\"", "§title: answers.amount", "title", "a text is needed"),
    "cel-too-deep": ("answers.amount > 20", "(" * 200 + "true" + ")" * 200 + "§", "risk.reasons[1].when", "nested too deeply"),
    "cel-bad-pattern": ("answers.amount > 20", "answers.colour.matches('(')§", "risk.reasons[1].when", "regular expression"),
    "cel-for-no-connector": ("{cel: \"'for ' + beneficiary.user_name\"}", "{cel: 'type(today)'}§", "fulfilment[0].with.label.cel", "no connector takes"),
    "cel-group-no-text": ("{group: crm-owners}", "{group_from: answers.amount}§", "route.stages[1].approvers.group_from", "a text is needed"),
    "cel-days-no-number": ("ends: {date: until}", "ends: {days: answers.colour}§", "ends.days", "a whole number is needed"),
    "cel-shown-by-itself": ("          label: Amount", "          label: Amount\n          §show_when: answers.amount > 1", "form.sections[0].fields[2].show_when", "no name 'answers.amount'"),
    "cel-shown-by-what-follows": ("          label: Amount", "          label: Amount\n          §show_when: answers.reason != ''", "form.sections[0].fields[2].show_when", "no name"),
    "cel-empty": ("answers.amount > 20", "''§", "risk.reasons[1].when", "at least 1"),
    "cel-too-long": ("answers.amount > 20", "true || " * 300 + "true§", "risk.reasons[1].when", "at most 2000"),
    "re2-pattern": ("        - kind: number\n          name: amount\n          label: Amount\n          maximum: 50", "        - kind: text\n          name: amount\n          label: Amount\n          §pattern: '(a'", "form.sections[0].fields[2].pattern", "no RE2 pattern"),
    "re2-look-behind": ("target: 2d", "resources:\n  colour: [{name: X, values: ['(?<!a)b'], owner: o}]§\ntarget: 2d", "resources.colour[0].values[0]", "no RE2 pattern"),
    # Not an offering at all
    "a-list": ("slug: small-thing\n", "- a\n", "", "not YAML"),
    "tab": ("  sections:", "§\tsections:", "", "spaces"),
    "unquoted-colon": ("summary: One", "§summary: Note: one", "", "put quotes around"),
    "key-twice": ("category: Tests", "category: Tests\n§slug: other", "slug", "stands here twice"),
    "anchor": ("category: Tests", "§category: &a Tests", "category", "anchors are not taken"),
    "tag": ("category: Tests", "§category: !!str Tests", "category", "tags are not taken"),
    "not-a-number": ("          maximum: 50", "          §maximum: .inf", "form.sections[0].fields[2].maximum", "no number"),
}  # fmt: skip


def broken(small, old, new):
    assert old in small
    text = small.replace(old, new, 1)
    marked = [number for number, line in enumerate(text.splitlines(), start=1) if "§" in line]
    return text.replace("§", ""), marked[0] if marked else None


@pytest.mark.parametrize("case", FILES)
def test_a_malformed_offering_is_refused_at_its_line_and_field(case, small):
    old, new, field, message = FILES[case]
    text, line = broken(small, old, new)
    with pytest.raises(OfferingFileError) as caught:
        read_offering(text, "small.yaml")
    problems = caught.value.problems
    told = [problem for problem in problems if problem.field == field and message in problem.message]
    assert told, str(caught.value)
    if line is not None:
        assert told[0].line == line, str(caught.value)
    for problem in problems:
        assert 1 <= problem.line <= text.count("\n") + 2
        assert problem.column >= 1
        assert "pydantic" not in str(problem)
        assert len(problem.message) < 700


def test_there_are_more_than_a_hundred_of_them():
    assert len(FILES) > 100
