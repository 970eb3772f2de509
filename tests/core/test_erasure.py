"""Whom the warehouse must forget: whose a row is, what else is theirs, and what identifies them."""

from typing import Any

import pytest

from sources.core.erasure import Suppressions, identifiers, texts
from sources.core.errors import ConfigurationError
from sources.core.privacy import Policy, Treatment, mask
from sources.core.suppressions import check_key

POLICY = Policy(key=b"a long random text")
MAIL, URL, ID = "ana@example.com", "https://www.linkedin.com/in/ana", "0b8e3c1e-lead"
ANA = Suppressions({POLICY.hash(value) for value in (MAIL, URL, ID)}, POLICY)
NOBODY = Suppressions((), POLICY)


@pytest.mark.parametrize(
    "row",
    [
        {"id": ID},
        {"id": "1", "email": MAIL},
        {"id": "1", "email": "  ANA@Example.com "},
        {"id": "1", "url": "http://de.linkedin.com/in/Ana/?trk=x"},
        {"id": "1", "emails": {"work": None, "personal": MAIL}},
        {"id": "1", "a": {"b": {"c": MAIL}}},
        {"id": "1", "email": POLICY.hash(MAIL)},
    ],
)
def test_a_row_is_about_a_person_if_a_field_of_it_is_theirs(row: dict[str, Any]) -> None:
    assert ANA.is_about(row)
    assert not NOBODY.is_about(row)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"id": "1", "email": "anna@example.com"},
        {"id": "1", "email": None, "n": 5, "truth": True},
        {"id": "1", "seen_by": [MAIL, URL]},
        {"id": "1", "people": [{"email": MAIL}]},
        {"id": "1", "nested": {"people": [{"email": MAIL}]}},
        {"id": "1", "content": f"write to {MAIL}"},
        {"id": "1", "email": mask(MAIL)},
    ],
)
def test_a_row_that_only_mentions_a_person_is_somebody_elses(row: dict[str, Any]) -> None:
    assert not ANA.is_about(row)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (MAIL, None),
        ("Ana@Example.com", None),
        ("bob@example.com", "bob@example.com"),
        (f"write to {MAIL}, please", None),
        (f"write to <{MAIL}>.", None),
        (f"mailto:{MAIL}", None),
        (f"({MAIL})", None),
        (f"{MAIL};bob@example.com", None),
        (f"https://example.com/form?email={MAIL}", None),
        (f"https://example.com/form?email={MAIL}&lang=en", None),
        ("write to bob@example.com, please", "write to bob@example.com, please"),
        ([MAIL, "bob@example.com", URL], ["bob@example.com"]),
        ([{"email": MAIL, "n": 1}, {"email": "bob@example.com"}], [{"email": "bob@example.com"}]),
        ([{"by": {"email": MAIL}}], []),
        ([[MAIL, "x"], "y"], [["x"], "y"]),
        ([{"friends": [MAIL, "bob@example.com"]}], [{"friends": ["bob@example.com"]}]),
        ([f"write to {MAIL}"], [None]),
        ({"a": MAIL, "b": {"c": [MAIL]}, "d": 1}, {"a": None, "b": {"c": []}, "d": 1}),
        (5, 5),
        (None, None),
        (True, True),
    ],
)
def test_what_is_theirs_is_taken_out_of_the_rows_of_others(value: Any, left: Any) -> None:
    assert ANA.without(value) == left
    assert NOBODY.without(value) == value


def test_taking_out_leaves_the_given_value_alone() -> None:
    value = {"a": [MAIL], "b": MAIL}
    ANA.without(value)
    assert value == {"a": [MAIL], "b": MAIL}


def test_long_text_is_searched_for_addresses_and_not_hashed_whole() -> None:
    assert ANA.without("x " * 10_000 + MAIL) is None
    assert ANA.without("x" * 10_000) == "x" * 10_000


def test_text_is_found_in_lists_only_if_asked_for() -> None:
    row = {"a": "1", "b": ["2", {"c": "3"}], "d": {"e": "4"}, "f": 5, "g": None}
    assert list(texts(row)) == ["1", "2", "3", "4"]
    assert list(texts(row, lists=False)) == ["1", "4"]


# --- identifiers -------------------------------------------------------------------------------------

COLUMNS = ["work", "personal", "profile"]


def test_a_persons_identifiers_are_the_hashes_of_their_addresses_and_profiles() -> None:
    row = {
        "work": " Ana@Example.com",
        "personal": None,
        "profile": URL,
        "name": "Ana",
        "other": "x@y.example",
    }
    assert identifiers(row, COLUMNS, POLICY) == {POLICY.hash(MAIL), POLICY.hash(URL)}


def test_values_that_are_hashed_already_are_identifiers_as_they_are() -> None:
    row = {"work": POLICY.hash(MAIL), "profile": POLICY.hash(URL)}
    assert identifiers(row, COLUMNS, POLICY) == {POLICY.hash(MAIL), POLICY.hash(URL)}


@pytest.mark.parametrize("value", ["", "   ", "Ana", "n/a", "a***", None, 5, ["ana@example.com"], "@"])
def test_what_is_no_address_and_no_profile_identifies_nobody(value: Any) -> None:
    assert identifiers({"work": value}, COLUMNS, POLICY) == set()


@pytest.mark.parametrize("value", [MAIL, URL])
def test_a_masked_value_identifies_nobody_since_many_share_it(value: str) -> None:
    assert identifiers({"work": mask(value)}, COLUMNS, POLICY) == set()


def test_the_hash_of_nothing_identifies_nobody() -> None:
    assert identifiers({"work": POLICY.hash("")}, COLUMNS, POLICY) == set()


# --- the key -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, b"another"])
def test_a_missing_or_another_key_is_refused_in_one_line(key: bytes | None) -> None:
    checks = {POLICY.hash("leadhouse suppression list")}
    check_key(checks, POLICY)
    with pytest.raises(ConfigurationError, match="PRIVACY__KEY") as caught:
        check_key(checks, Policy(key=key))
    assert "\n" not in str(caught.value)
    assert "another" not in str(caught.value) or key is not None


def test_no_key_is_needed_where_nobody_was_erased() -> None:
    check_key(set(), Policy())


def test_a_hash_from_the_warehouse_is_recognised_under_every_treatment() -> None:
    hashing = Policy(Treatment.HASH, key=b"a long random text")
    assert Suppressions({POLICY.hash(MAIL)}, hashing).is_about({"email": MAIL})
