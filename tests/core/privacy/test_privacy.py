"""What happens to personal values: normalising, treating, deciding by column, and the configuration."""

import hmac
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sources.core.errors import ConfigurationError
from sources.core.privacy.configuration import load_policy
from sources.core.privacy.identities import e164, normalise
from sources.core.privacy.policy import NOBODYS, Policy, Treatment, mask
from sources.core.tables import Category, Column, Table
from sources.leadpanther.columns import TABLES
from tests.support import forget_pipelines

KEY = b"a long random text"
HASH = Policy(Treatment.HASH, key=KEY)
HEX = re.compile(r"[0-9a-f]{64}")

PEOPLE = Table(
    "people",
    ("id",),
    (
        Column("id", "text", "id"),
        Column("mail", "text", "mail", pii=Category.EMAIL),
        Column("name", "text", "name", pii=Category.NAME),
        Column("account", "text", "account", pii=Category.ACCOUNT_ID),
        Column("colour", "text", "colour"),
    ),
    "people",
    personal=True,
)


# --- normalise ---------------------------------------------------------------------------------------

SAME = {
    "an address in any case": ["ana@example.com", "Ana@Example.COM", "ANA@EXAMPLE.COM"],
    "an address with what its owner put after it": [
        "ana@example.com",
        "ana+news@example.com",
        "Ana+x+y@example.com",
    ],
    "an address at a mail service that ignores dots": [
        "ana.b@gmail.com",
        "anab@gmail.com",
        "A.N.A.B+x@googlemail.com",
    ],
    "an address among blanks": ["ana@example.com", "  ana@example.com\n", "\u00a0ana@example.com\t"],
    "a profile with or without scheme": [
        "https://www.linkedin.com/in/ana",
        "http://www.linkedin.com/in/ana",
        "www.linkedin.com/in/ana",
        "linkedin.com/in/ana",
        "HTTPS://LINKEDIN.COM/in/Ana",
    ],
    "a profile seen from other countries": [
        "https://www.linkedin.com/in/ana",
        "https://de.linkedin.com/in/ana",
        "https://uk.linkedin.com/in/ana/",
        "m.linkedin.com/in/ana",
    ],
    "a profile with what links carry": [
        "https://www.linkedin.com/in/ana",
        "https://www.linkedin.com/in/ana/",
        "https://www.linkedin.com/in/ana?utm_source=mail",
        "https://www.linkedin.com/in/ana/?trk=x#about",
        "https://www.linkedin.com:443/in/ana",
    ],
    "a profile with an accent, escaped or not": [
        "https://linkedin.com/in/zo\u00eb",
        "https://linkedin.com/in/zoe\u0308",
        "https://linkedin.com/in/zo%C3%AB",
        "https://linkedin.com/in/ZO%c3%8B",
    ],
    "a profile with an accent, decomposed and escaped": [
        "https://linkedin.com/in/zo\u00eb",
        "https://linkedin.com/in/zoe%CC%88",
    ],
    "a name with a combining accent": ["Zo\u00eb", "Zoe\u0308", " Zo\u00eb "],
}


@pytest.mark.parametrize("spellings", SAME.values(), ids=SAME.keys())
def test_spellings_of_the_same_thing_get_the_same_hash(spellings: list[str]) -> None:
    hashes = {spelling: HASH.hash(spelling) for spelling in spellings}
    assert len(set(hashes.values())) == 1, hashes


@pytest.mark.parametrize(
    "different",
    [
        (
            "ana@example.com",
            "ana@example.org",
            "anna@example.com",
            "an.a@example.com",
            "+x@example.com",
            "ana",
        ),
        (
            "https://linkedin.com/in/ana",
            "https://linkedin.com/in/anna",
            "https://linkedin.com/company/ana",
            "https://example.com/in/ana",
            "https://linkedin.com.example.com/in/ana",
        ),
        ("Ana", "ana", "Ana Ana", ""),
    ],
)
def test_different_people_get_different_hashes(different: tuple[str, ...]) -> None:
    for one, other in combinations(different, 2):
        assert HASH.hash(one) != HASH.hash(other), (one, other)


@pytest.mark.parametrize(
    "text", ["http://[", "https://", "@", "", "\ud800", "https://exa mple", "a" * 100_000]
)
def test_any_text_can_be_normalised_masked_and_hashed(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert isinstance(mask(text), str)
    assert HEX.fullmatch(HASH.hash(text))


@pytest.mark.parametrize("key", [b"k", b"a long random text", b"x" * 64, b"x" * 65, b"x" * 200])
def test_a_hash_is_hmac_sha_256_of_the_normalised_value(key: bytes) -> None:
    policy = Policy(Treatment.HASH, key=key)
    for value in ("Ana@Example.com ", "Zo\u00eb", "", "https://www.linkedin.com/in/ana/"):
        wanted = hmac.new(key, normalise(value).encode(), "sha256").hexdigest()
        assert policy.hash(value) == policy.hash(value) == wanted


@hypothesis_settings(max_examples=300, deadline=None)
@given(
    st.from_regex(r"https?://(www\.)?[a-z.]{1,12}(linkedin\.com)?(/[a-z0-9._-]{1,6}){0,3}/?", fullmatch=True)
)
def test_urls_that_are_spelt_as_usual_are_normalised_like_others(url: str) -> None:
    scheme, rest = url.split("://")
    assert normalise(url) == normalise(f"{scheme.upper()}://{rest}")


def test_a_hash_is_of_the_key_and_not_of_the_value_alone() -> None:
    assert HASH.hash("ana@example.com") != Policy(Treatment.HASH, key=b"another").hash("ana@example.com")


@pytest.mark.parametrize(
    "value",
    [
        *("info@acme.example", "Sales+uk@acme.example", "no-reply@acme.example"),
        *("sa***@acme.example", "+1415****70", "p***@x.example"),
        *("https://www.linkedin.com/company/acme", "https://linkedin.com/school/mit/"),
    ],
)
def test_the_hash_of_what_belongs_to_no_single_person_says_so(value: str) -> None:
    assert HASH.hash(value).startswith(NOBODYS)
    assert HEX.fullmatch(HASH.hash(value))
    assert HASH.hash(value) != HASH.hash(f"x{value}")


# --- phones ------------------------------------------------------------------------------------------

SAME_NUMBER = {
    "+14155550100": [
        *("+14155550100", "+1 (415) 555-0100", "415-555-0100", "(415) 555.0100", "1 415 555 0100"),
        *("tel:+1-415-555-0100", "011 1 415 555 0100"),
    ],
    "+442079460000": ["+44 20 7946 0000", "+44 (0)20 7946 0000", "0044 20 7946 0000"],
    "+14155550100;ext=12": ["+1 415 555 0100 ext. 12", "415 555 0100 x12"],
}


@pytest.mark.parametrize(("number", "spelling"), [(n, s) for n, all_ in SAME_NUMBER.items() for s in all_])
def test_spellings_of_a_phone_number_are_the_same_number(number: str, spelling: str) -> None:
    assert e164(spelling, "US") == number


@pytest.mark.parametrize("text", ["", "555", "call me", "+1415****70", "+1415xxxxx70", "n/a", "0", "+999123"])
def test_what_is_no_phone_number_or_masked_is_none(text: str) -> None:
    assert e164(text, "US") is None


def test_a_number_without_a_country_is_none_where_no_region_is_known() -> None:
    assert e164("415-555-0100") is None
    assert e164("415-555-0100", "US") != e164("415-555-0100", "DE")


# --- mask --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("ana@example.com", "a***@example.com"),
        (" ana.bell@mail.example.com ", "a***@mail.example.com"),
        ("Ana Eberling", "A*** E***"),
        ("O'Dell", "O***"),
        ("Mbeki-Stone", "M***"),
        ("架空 花子", "架*** 花***"),
        ("https://www.linkedin.com/in/eberling", "https://www.linkedin.com/in/e***"),
        ("https://www.linkedin.com/in/eberling/", "https://www.linkedin.com/in/e***"),
        ("", ""),
    ],
)
def test_a_mask_keeps_the_shape_of_a_value(value: str, masked: str) -> None:
    assert mask(value) == masked


@pytest.mark.parametrize(
    "value",
    [
        "https://www.linkedin.com/in/secret",
        "https://www.linkedin.com/in/secret/",
        "https://www.linkedin.com/in/secret?utm_source=mail",
        "https://www.linkedin.com/in/secret/?utm_source=mail",
        "https://www.linkedin.com/in/secret?next=/feed/update",
        "https://www.linkedin.com/in/secret#about/me",
        "https://www.linkedin.com/in/secret/details/experience",
        "linkedin.com/in/secret",
        "https://secret.example.com",
        "https://www.example.com/?email=secret@example.com",
        "I am secret, see https://www.linkedin.com/in/me",
        "https://example.com/x is where secret works / worked",
        "secret@example.com, or secret@example.org",
        "secret <secret@example.com>",
        "mailto:secret@example.com",
        "Dr. Secret (secret)",
        "secret_secret",
        "secret's",
        "\u200bsecret",
        "+49 170 5550199 secret",
        "call 1705550199, secret",
    ],
)
def test_a_mask_hides_all_but_first_letters(value: str) -> None:
    masked = mask(value).lower()
    assert "secret" not in masked
    assert "ecre" not in masked
    assert "5550199" not in masked


@pytest.mark.parametrize("name", ["Zoe\u0308 A\u030angstro\u0308mson", "उदाहरण देवी", "ไพลิน ตัวอย่าง"])
def test_a_mask_hides_all_but_first_letters_where_marks_combine(name: str) -> None:
    letters = [c for c in mask(name) if c.isalpha()]
    assert len(letters) <= len(name.split())


# --- treat -------------------------------------------------------------------------------------------

NESTED = [
    "ana@example.com",
    None,
    ["ana@example.com", 5, True, None, {"mail": "ana@example.com", "n": 1.5}],
    {"a": {"b": ["ana@example.com"]}, "since": "2026-01-01T00:00:00Z"},
    42,
    False,
]


def test_tagging_leaves_every_value_as_it_is() -> None:
    assert Policy().treat(NESTED, Treatment.TAG, numbers=True) == NESTED


def test_nested_values_are_treated_leaf_by_leaf() -> None:
    m, h = "a***@example.com", HASH.hash("ana@example.com")
    assert HASH.treat(NESTED, Treatment.MASK) == [
        m,
        None,
        [m, 5, True, None, {"mail": m, "n": 1.5}],
        {"a": {"b": [m]}, "since": mask("2026-01-01T00:00:00Z")},
        42,
        False,
    ]
    assert HASH.treat(NESTED[:3], Treatment.HASH) == [h, None, [h, 5, True, None, {"mail": h, "n": 1.5}]]
    assert HASH.treat(NESTED[:3], Treatment.DROP) == [
        None,
        None,
        [None, 5, True, None, {"mail": None, "n": 1.5}],
    ]


@pytest.mark.parametrize("treatment", [Treatment.MASK, Treatment.HASH, Treatment.DROP])
def test_numbers_are_treated_as_text_where_text_should_be_and_truth_values_never(
    treatment: Treatment,
) -> None:
    (whole, fraction, nested, truth) = HASH.treat(
        [1705550199, 3.25, [1705550199], True], treatment, numbers=True
    )
    expected = {Treatment.MASK: "1***", Treatment.HASH: HASH.hash("1705550199"), Treatment.DROP: None}[
        treatment
    ]
    assert whole == expected
    assert fraction != 3.25
    assert nested == [expected]
    assert truth is True


@pytest.mark.parametrize("treatment", [Treatment.MASK, Treatment.HASH, Treatment.DROP])
def test_keys_of_objects_that_hold_personal_data_do_not_pass(treatment: Treatment) -> None:
    (value,) = HASH.treat([[{"ana@example.com": 3}]], treatment)
    assert "ana@example.com" not in repr(value)


# --- which treatment ---------------------------------------------------------------------------------


def test_a_column_is_treated_by_its_kind_and_the_default() -> None:
    policy = Policy(Treatment.MASK, {Category.EMAIL: Treatment.DROP})
    assert policy.treatment(PEOPLE, "mail") is Treatment.DROP
    assert policy.treatment(PEOPLE, "name") is Treatment.MASK
    assert policy.treatment(PEOPLE, "colour") is Treatment.TAG


@pytest.mark.parametrize("treatment", list(Treatment))
def test_ids_of_accounts_are_never_treated(treatment: Treatment) -> None:
    policy = Policy(treatment, {Category.ACCOUNT_ID: treatment}, key=KEY)
    assert policy.treatment(PEOPLE, "account") is Treatment.TAG


def test_an_undocumented_column_gets_the_strictest_treatment_of_its_table() -> None:
    assert Policy().treatment(PEOPLE, "note") is Treatment.TAG
    assert Policy(by_category={Category.NAME: Treatment.MASK}).treatment(PEOPLE, "note") is Treatment.MASK
    both = Policy(by_category={Category.NAME: Treatment.MASK, Category.EMAIL: Treatment.HASH}, key=KEY)
    assert both.treatment(PEOPLE, "note") is Treatment.HASH
    own = Policy(by_category={Category.UNREVIEWED: Treatment.DROP})
    assert own.treatment(PEOPLE, "note") is Treatment.DROP
    lenient = Policy(Treatment.HASH, {Category.UNREVIEWED: Treatment.TAG}, key=KEY)
    assert lenient.treatment(PEOPLE, "note") is Treatment.HASH


def test_what_rules_there_are_is_in_the_fingerprint_of_what_treats(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [Policy().fingerprint, Policy(Treatment.MASK).fingerprint]
    monkeypatch.setattr("sources.core.privacy.policy._RULES", "another")
    tags, masks = Policy().fingerprint, Policy(Treatment.MASK).fingerprint
    assert (tags == before[0], masks == before[1]) == (True, False)


def test_where_no_document_says_who_is_in_a_table_any_kind_counts() -> None:
    unknown = Table("unknown", ("id",), (Column("id", "text", "its id"),), "somebody", personal=True)
    notes = Column("notes", "text", "prose", pii=Category.MESSAGE)
    things = replace(unknown, personal=False, columns=(*unknown.columns, notes))
    policy = Policy(by_category={Category.EMAIL: Treatment.DROP})
    assert policy.treatment(unknown, "note") is Treatment.DROP
    assert policy.treatment(things, "note") is Treatment.DROP


@pytest.mark.parametrize(
    ("stored", "treatment", "same_key", "fresh"),
    [
        ("ana@example.com", Treatment.MASK, True, "a***@example.com"),
        ("a***@example.com", Treatment.MASK, True, "a***@example.com"),
        ("a***@example.com", Treatment.HASH, True, None),
        ("a***@example.com", Treatment.TAG, True, None),
        ("*** free ***", Treatment.TAG, True, "*** free ***"),
        (Policy(key=KEY).hash("ana"), Treatment.HASH, True, Policy(key=KEY).hash("ana")),
        (Policy(key=KEY).hash("ana"), Treatment.HASH, False, None),
        (Policy(key=KEY).hash("ana"), Treatment.MASK, True, None),
        ("ana", Treatment.HASH, True, Policy(key=KEY).hash("ana")),
        ("ana", Treatment.TAG, True, "ana"),
        ("ana", Treatment.DROP, True, None),
        (None, Treatment.HASH, True, None),
        (["ana", {"n": 5, "ok": True}], Treatment.MASK, True, ["a***", {"n": "5***", "ok": True}]),
        (["ana", {"n": 5}], Treatment.TAG, True, ["ana", {"n": 5}]),
    ],
)
def test_a_stored_value_is_treated_anew_or_blanked_where_only_the_raw_one_would_do(
    stored: Any, treatment: Treatment, same_key: bool, fresh: Any
) -> None:
    assert Policy(treatment, key=KEY).treat_stored(stored, treatment, same_key) == fresh


def test_kinds_that_a_table_does_not_have_do_not_count() -> None:
    assert Policy(by_category={Category.MESSAGE: Treatment.DROP}).treatment(PEOPLE, "note") is Treatment.TAG


def test_a_reviewed_column_is_treated_as_what_it_was_found_to_hold() -> None:
    policy = Policy(
        Treatment.DROP,
        {Category.NAME: Treatment.MASK},
        {"people.tags": None, "people.nick": Category.NAME, "others.note": None},
    )
    assert policy.treatment(PEOPLE, "tags") is Treatment.TAG
    assert policy.category(PEOPLE, "tags") is None
    assert policy.treatment(PEOPLE, "nick") is Treatment.MASK
    assert policy.treatment(PEOPLE, "note") is Treatment.DROP


def test_no_review_overrules_the_documents() -> None:
    policy = Policy(Treatment.DROP, reviewed={"people.mail": None})
    assert policy.treatment(PEOPLE, "mail") is Treatment.DROP
    assert policy.category(PEOPLE, "mail") is Category.EMAIL


# --- fingerprint -------------------------------------------------------------------------------------

POLICIES = {
    "default": Policy(),
    "mask": Policy(Treatment.MASK),
    "drop": Policy(Treatment.DROP),
    "hash": Policy(Treatment.HASH, key=KEY),
    "another key": Policy(Treatment.HASH, key=b"another"),
    "one kind": Policy(by_category={Category.NAME: Treatment.MASK}),
    "another kind": Policy(by_category={Category.EMAIL: Treatment.MASK}),
    "a kind otherwise": Policy(by_category={Category.NAME: Treatment.DROP}),
    "a review": Policy(reviewed={"leads.tags": None}),
    "another review": Policy(reviewed={"leads.tags": Category.NAME}),
    "a review elsewhere": Policy(reviewed={"activity.tags": None}),
}


def test_the_fingerprint_changes_with_everything_that_changes_a_treatment() -> None:
    prints = {name: policy.fingerprint for name, policy in POLICIES.items()}
    assert len(set(prints.values())) == len(POLICIES), prints


def test_a_key_that_hashes_nothing_changes_no_treatment() -> None:
    assert Policy(key=KEY).fingerprint == Policy().fingerprint


def test_a_fingerprint_tells_whether_the_key_was_the_same() -> None:
    assert POLICIES["hash"].has_key_of(
        Policy(Treatment.HASH, {Category.NAME: Treatment.DROP}, key=KEY).fingerprint
    )
    assert not POLICIES["hash"].has_key_of(POLICIES["another key"].fingerprint)
    assert POLICIES["hash"].has_key_of(POLICIES["mask"].fingerprint)


def test_the_fingerprint_does_not_depend_on_the_order_of_settings() -> None:
    one = {Category.NAME: Treatment.MASK, Category.EMAIL: Treatment.DROP}
    other = dict(reversed(one.items()))
    assert Policy(by_category=one).fingerprint == Policy(by_category=other).fingerprint
    assert Policy().fingerprint == Policy().fingerprint


def test_neither_fingerprint_nor_repr_tells_the_key() -> None:
    for policy in (POLICIES["hash"], Policy(key=KEY)):
        shown = f"{policy!r} {policy} {policy.fingerprint}"
        assert KEY.decode() not in shown
        assert KEY.hex() not in shown
        assert len(policy.fingerprint) <= 16


# --- configuration -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_without_any_settings_everything_is_tagged_and_nothing_else() -> None:
    policy = load_policy()
    assert (policy.default, dict(policy.by_category), dict(policy.reviewed)) == (Treatment.TAG, {}, {})
    assert (policy.key, policy.frozen, policy.retention_days) == (None, False, None)


def test_settings_are_read_from_files_and_the_environment_wins(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".dlt").mkdir()
    (home / ".dlt" / "config.toml").write_text(
        '[privacy]\ntreatment = "mask"\ncontract = "freeze"\nretention_days = 30\n'
        '[privacy.categories]\nemail = "hash"\n'
        '[privacy.columns]\n"leads.tags" = "none"\n"leads.nick" = "name"\n'
    )
    (home / ".dlt" / "secrets.toml").write_text('[privacy]\nkey = "from the file, and long"\n')
    forget_pipelines(home)
    policy = load_policy()
    assert policy.default is Treatment.MASK
    assert policy.by_category == {Category.EMAIL: Treatment.HASH}
    assert policy.reviewed == {"leads.tags": None, "leads.nick": Category.NAME}
    assert (policy.key, policy.frozen, policy.retention_days) == (b"from the file, and long", True, 30)
    monkeypatch.setenv("PRIVACY__TREATMENT", "drop")
    monkeypatch.setenv("PRIVACY__KEY", "from the environment")
    assert load_policy().default is Treatment.DROP
    assert load_policy().key == b"from the environment"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown treatment": ({"treatment": "encrypt"}, "tag, mask, hash, drop"),
    "an unknown treatment of a kind": ({"categories": {"email": "encrypt"}}, "tag, mask, hash, drop"),
    "an unknown kind": ({"categories": {"shoe_size": "drop"}}, "email"),
    "an unknown kind of a column": ({"columns": {"leads.x": "harmless"}}, "none"),
    "none as a kind to treat": ({"categories": {"none": "drop"}}, "none"),
    "a column without its table": ({"columns": {"tags": "none"}}, "table.column"),
    "an unknown contract": ({"contract": "discard"}, "evolve or freeze"),
    "hashing without a key": ({"treatment": "hash"}, "PRIVACY__KEY"),
    "hashing one kind without a key": ({"categories": {"email": "hash"}}, "PRIVACY__KEY"),
    "a key that could be guessed": ({"key": "fifteen letters"}, "fewer than 16"),
    "hashing with an empty key": ({"treatment": "hash", "key": ""}, "PRIVACY__KEY"),
    "a treatment that is no text": ({"categories": {"email": 3}}, "tag, mask, hash, drop"),
    "a retention that is no number": ({"retention_days": "soon"}, "[privacy]"),
    "a negative retention": ({"retention_days": -1}, "retention_days"),
}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("settings", "named"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_setting_is_refused_in_one_line_that_says_what_to_do(
    settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(**settings)
    message = str(caught.value)
    assert "\n" not in message
    assert named in message


@pytest.mark.usefixtures("home")
def test_a_refusal_does_not_quote_the_key() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_policy(treatment="encrypt", key="correct horse battery staple")
    assert "battery" not in str(caught.value)


# --- keys of objects ---------------------------------------------------------------------------------

NAMES_OF_FIELDS = ["likes", "firstName", "post_id", "LIKE", "emails.work", "2026-11-29", "12", "utm-source"]
MAYBE_SOMEBODY = [
    "Ana Lee",
    "Ana",
    "ana@example.com",
    "+14155550100",
    "(415) 555-0100",
    "by.Ana Lee",
    "0b8e3c1e-12ab-4f4f",
]


@pytest.mark.parametrize("treatment", [Treatment.MASK, Treatment.HASH, Treatment.DROP])
def test_keys_that_may_be_people_are_treated_as_their_values_are(treatment: Treatment) -> None:
    policy = Policy(treatment, key=KEY)
    kept = dict.fromkeys(NAMES_OF_FIELDS, 1)
    assert policy.treat([kept], treatment) == [kept]
    for key in MAYBE_SOMEBODY:
        (treated,) = policy.treat([[{key: 1}]], treatment)
        assert key not in treated[0]
        assert list(treated[0].values()) == [1]
    assert policy.treat([dict.fromkeys(MAYBE_SOMEBODY, 1)], Treatment.TAG) == [
        dict.fromkeys(MAYBE_SOMEBODY, 1)
    ]


def test_a_documented_column_of_unknown_fields_can_be_reviewed_and_our_own_cannot() -> None:
    table = TABLES["lead_magnets"]
    drop = Policy(Treatment.DROP, reviewed={"lead_magnets.hosted_page": None, "lead_magnets._misfits": None})
    assert Policy(Treatment.DROP).treatment(table, "hosted_page") is Treatment.DROP
    assert drop.treatment(table, "hosted_page") is Treatment.TAG
    assert drop.treatment(table, "_misfits") is Treatment.DROP
