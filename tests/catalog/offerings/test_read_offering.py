import pytest

from catalog.offerings.checks import check_files, schema
from catalog.offerings.language import OfferingDocument
from catalog.offerings.reading import OfferingFileError, read_offering


def test_a_whole_offering_is_read_with_its_fields_route_and_steps(small):
    document = read_offering(small, "small.yaml")
    assert document.slug == "small-thing"
    assert [field.name for field in document.fields] == ["person", "colour", "amount", "reason", "until"]
    assert [stage.target_minutes for stage in document.route.stages] == [480, 480]
    assert document.target_minutes == 960
    assert document.find_field("colour").choices[1].label == "Blue"
    assert document.find_field("nothing") is None


def test_what_is_kept_reads_back_as_the_same_document_with_the_same_digest(small):
    document = read_offering(small, "small.yaml")
    again = OfferingDocument.model_validate(document.to_json(), strict=False)
    assert again == document
    assert again.digest == document.digest
    assert document.digest.startswith("sha256:")


def test_a_comment_or_another_order_of_keys_leaves_the_digest_as_it_is(small):
    lines = small.splitlines(keepends=True)
    moved = "# a comment\n" + "".join(lines[1:6]) + lines[0] + "".join(lines[6:])
    assert moved != small
    assert read_offering(moved, "a").digest == read_offering(small, "b").digest


def test_a_changed_word_changes_the_digest(small):
    changed = small.replace("Red is seen from afar", "Red is seen from far away")
    assert read_offering(changed, "a").digest != read_offering(small, "a").digest


def test_a_misspelt_key_is_named_with_file_line_field_and_the_nearest_key(small):
    text = small.replace("          at_most: 100", "          at_moost: 100")
    with pytest.raises(OfferingFileError) as caught:
        read_offering(text, "small.yaml")
    (problem,) = caught.value.problems
    line = text.splitlines().index("          at_moost: 100") + 1
    assert (problem.line, problem.column) == (line, 11)
    assert str(caught.value) == (
        f"small.yaml:{line}:11: form.sections[0].fields[3].at_moost: "
        "there is no key 'at_moost' here; did you mean 'at_most'?"
    )


def test_every_problem_of_a_file_is_told_at_once_from_the_top_down(small):
    text = (
        small.replace("summary:", "sumary:")
        .replace("points: 30", "points: many")
        .replace("kind: date", "kind: day")
    )
    with pytest.raises(OfferingFileError) as caught:
        read_offering(text, "small.yaml")
    lines = [problem.line for problem in caught.value.problems]
    assert len(lines) == 4
    assert lines == sorted(lines)


def test_the_place_inside_a_block_of_text_is_that_of_the_expression(small):
    text = small.replace(
        "title: \"'A ' + answers.colour + ' thing for ' + beneficiary.name\"",
        "title: >-\n  'A thing for '\n  + beneficiary.nam",
    )
    with pytest.raises(OfferingFileError) as caught:
        read_offering(text, "small.yaml")
    (problem,) = caught.value.problems
    assert problem.message == "there is no name 'beneficiary.nam' here; did you mean 'beneficiary.name'?"
    assert text.splitlines()[problem.line - 1] in {"  'A thing for '", "  + beneficiary.nam"}


def test_checking_files_lists_the_problems_of_all_of_them(small, tmp_path):
    good, bad, twin = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "twin.yaml"
    good.write_text(small)
    twin.write_text(small)
    bad.write_text("slug: [")
    problems = check_files([good, bad, twin, tmp_path / "missing.yaml"])
    assert [(problem.file.rpartition("/")[2], problem.field) for problem in problems] == [
        ("bad.yaml", ""),
        ("twin.yaml", "slug"),
        ("missing.yaml", ""),
    ]
    assert check_files([good]) == []


def test_the_schema_describes_every_key_and_kind_of_field():
    found = schema()
    assert found["$schema"].endswith("2020-12/schema")
    assert set(found["required"]) >= {"slug", "form", "route", "fulfilment", "controls"}
    assert found["additionalProperties"] is False
    assert "from" in found["$defs"]["FromProfile"]["properties"]
    assert "with" in found["$defs"]["StepRule"]["properties"]
    fields = found["$defs"]["Section"]["properties"]["fields"]["items"]["discriminator"]["mapping"]
    assert set(fields) >= {"text", "person", "csr", "networks", "ports", "one_of", "date"}
