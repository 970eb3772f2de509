"""Whom the warehouse must forget: whose a row is, what else is theirs, and what identifies them."""

from typing import Any

import pytest

from sources.core.errors import ConfigurationError
from sources.core.privacy.erasure import Suppressions, identifiers
from sources.core.privacy.needles import digits_of, looked_through, needles
from sources.core.privacy.policy import Policy, Treatment, mask
from sources.core.privacy.whose import contacts, texts
from sources.core.tables import Category
from sources.core.warehouse.suppressions import check_key
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.columns import TABLES
from sources.leadping import LEADPING

POLICY = Policy(key=b"a long random text", region="US")
PHONE = "+14155550100"
MAIL, URL, ID = "ana@example.com", "https://www.linkedin.com/in/ana", "0b8e3c1e-lead"
HERE = LEADPANTHER.origin
LEADS = TABLES["leads"]
ANA = Suppressions({POLICY.hash(value) for value in (MAIL, URL, ID, PHONE)}, POLICY, HERE)
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
    assert ANA.is_about(row, LEADS)
    assert not NOBODY.is_about(row, LEADS)


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
    assert not ANA.is_about(row, LEADS)


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
        ("Ana wants a call at (415) 555-0100.", None),
        ("ring +1 415.555.0100 or mail", None),
        ("2026-01-15 415 555 0100: no answer", None),
        ("numbers: +14155550100/+14155550199", None),
        ({"note": ["call\n415-555-0100"]}, {"note": [None]}),
        ("Bob wants a call at (415) 555-0199.", "Bob wants a call at (415) 555-0199."),
        ("order 14155550 of 2026-01-15 10:00:00", "order 14155550 of 2026-01-15 10:00:00"),
        ([MAIL, "bob@example.com", URL], ["bob@example.com"]),
        ([{"email": MAIL, "n": 1}, {"email": "bob@example.com"}], [{"email": "bob@example.com"}]),
        ([{"by": {"email": MAIL}}], []),
        ([[MAIL, "x"], "y"], [["x"], "y"]),
        ([{"friends": [MAIL, "bob@example.com"]}], [{"friends": ["bob@example.com"]}]),
        ([f"write to {MAIL}"], [None]),
        ({"a": MAIL, "b": {"c": [MAIL]}, "d": 1}, {"a": None, "b": {"c": []}, "d": 1}),
        ({MAIL: 3, "bob@example.com": 4}, {"bob@example.com": 4}),
        ({"likes.ana@example\\.com": 3, "likes.bob@example\\.com": 4}, {"likes.bob@example\\.com": 4}),
        ({r"by.https://www\.linkedin\.com/in/ana.n": 3}, {}),
        ({"num": 4155550100, "nums": [14155550100, 7]}, {"num": None, "nums": [7]}),
        ({"num": 4155550101, "n": 14155550100.5}, {"num": 4155550101, "n": 14155550100.5}),
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


# --- whose a row is ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "hers"),
    [
        ({"id": "1", "emails": {"work": MAIL}}, True),
        ({"id": "1", "emails__work": MAIL, "linkedin_profile_url": "https://linkedin.com/in/other"}, True),
        ({"id": "1", "emails": {"work": "bob@example.com"}, "referred_by": MAIL}, False),
        ({"id": "1", "emails__work": "bob@example.com", "referred_by": MAIL}, False),
        ({"id": "1", "emails__work": POLICY.hash("bob@example.com"), "by": MAIL}, False),
        ({"id": "1", "emails__work": None, "by": {"mail": MAIL}}, True),
        ({"id": "1", "emails__work": " ", "by": {"mail": MAIL}}, True),
        ({"id": "1", "emails__work": "b***@example.com", "by": MAIL}, True),
        ({"id": ID, "emails__work": "bob@example.com"}, True),
        ({"id": "1", "lead_id": ID, "emails__work": "bob@example.com"}, True),
        ({"id": "1", "emails": [MAIL]}, False),
        ({"id": "1", "emails__work": "Ana+news@Example.com"}, True),
        ({"id": "1", "phone": "(415) 555-0100"}, True),
        ({"id": "1", "phone": "+1 415 555 0101", "note": "+1 415 555 0100"}, False),
        ({"id": "1", "phone": 14155550100, "emails__work": "bob@example.com"}, True),
        ({"id": "1", "phone": 4155550100.0}, True),
        ({"id": "1", "mobile": 4155550100}, True),
        ({"id": "1", "phone": 4155550101, "mobile": 4155550100}, False),
        ({"id": "1", "_misfits": {"phone": 4155550100}, "emails__work": "bob@example.com"}, True),
        ({"id": "1", "_misfits": {"emails.work": [MAIL]}}, True),
        ({"id": "1", "_misfits": {"emails.work": ["bob@example.com"]}, "by": MAIL}, False),
        ({"id": "1", "phone": "+1415****00", "emails__work": "bob@example.com"}, False),
    ],
)
def test_the_contacts_in_a_row_say_whose_it_is_and_without_any_every_field_does(
    row: dict[str, Any], hers: bool
) -> None:
    assert ANA.is_about(row, LEADS) is hers


@pytest.mark.parametrize(
    ("row", "table"),
    [
        ({"id": "1", "leadPhoneNumber": "(415) 555-0100"}, "conversations"),
        ({"id": "1", "normalizedEmail": MAIL.upper()}, "suppression_entries"),
        ({"leadId": ID, "contact": {"email": "x@example.com"}}, "lead_details"),
        ({"id": "1", "contact": {"phone": {"number": "415 555 0100"}}}, "lead_details"),
        ({"id": "1", "lead": {"id": ID}, "fromPhoneNumber": "+14155550101"}, "sms_events"),
    ],
)
def test_a_row_as_it_came_says_whose_it_is_in_whichever_case_its_fields_are(
    row: dict[str, Any], table: str
) -> None:
    hers = Suppressions(ANA.hashes, POLICY, LEADPING.origin)
    assert hers.is_about(row, LEADPING.tables[table])


@pytest.mark.parametrize(
    ("row", "table", "hers"),
    [
        ({"leadId": "2", "actorEmail": MAIL}, "events", False),
        ({"lead_id": "2", "from_phone_number": PHONE}, "events", False),
        ({"leadId": "2", "fromPhoneNumber": "+14155550199", "toPhoneNumber": PHONE}, "call_events", False),
        ({"lead": {"id": "2"}, "toPhoneNumber": PHONE}, "sms_events", False),
        ({"lead": {"id": None}, "toPhoneNumber": PHONE}, "sms_events", True),
        ({"leadId": None, "actorEmail": MAIL}, "events", True),
        ({"leadId": "", "fromPhoneNumber": PHONE}, "call_events", True),
        ({"leadId": "2", "contact": {"email": MAIL}}, "lead_details", True),
        ({"leadId": "2", "leadPhoneNumber": PHONE}, "conversations", True),
    ],
)
def test_what_somebody_did_about_anothers_lead_is_that_leads(
    row: dict[str, Any], table: str, hers: bool
) -> None:
    erased = Suppressions(ANA.hashes, POLICY, LEADPING.origin)
    assert erased.is_about({"id": "1", **row}, LEADPING.tables[table]) is hers


# --- ids ---------------------------------------------------------------------------------------------


def test_an_id_is_a_leads_only_where_ids_of_leads_stand_and_with_the_same_vendor_and_account() -> None:
    found = {POLICY.hash(HERE.lead("client-1", "7"))}
    hers = Suppressions(found, POLICY, HERE)
    lead, comment = {"id": "7", "client_id": "client-1"}, {"id": "8", "lead_id": "7", "client_id": "client-1"}
    assert hers.is_about(lead, LEADS)
    assert hers.is_about({"id": "7"}, LEADS, "client-1")
    assert hers.is_about(comment, TABLES["activity"])
    assert not hers.is_about({**lead, "client_id": "client-2"}, LEADS)
    assert not hers.is_about(lead, TABLES["activity"])
    assert hers.without([{"id": "7"}, "7"]) == [{"id": "7"}, "7"]
    assert not Suppressions(found, POLICY, LEADPING.origin).is_about(
        {**lead, "organization_id": "client-1"}, LEADS
    )


def test_an_id_that_was_given_is_any_vendors_leads() -> None:
    assert ANA.is_about({"id": ID, "client_id": "client-2"}, LEADS)
    assert Suppressions(ANA.hashes, POLICY, LEADPING.origin).is_about({"id": ID}, LEADPING.tables["leads"])
    assert not ANA.is_about({"id": ID}, TABLES["activity"])


def test_a_lead_that_is_met_again_under_another_id_is_told_once() -> None:
    again = ANA.met({"id": 9, "emails": {"work": MAIL}}, LEADS, "client-1")
    names = [HERE.lead("client-1", each) for each in ("9", POLICY.hash("9"))]
    assert again == {name: POLICY.hash(name) for name in names}
    assert (
        Suppressions({*ANA.hashes, *again.values()}, POLICY, HERE).met({"id": "9"}, LEADS, "client-1") == {}
    )
    assert ANA.met({"id": ID}, LEADS, "client-1") == {}
    assert ANA.met({"id": 9}, TABLES["activity"], "client-1") == {}


# --- spellings ---------------------------------------------------------------------------------------

HER_ADDRESS = [
    "Ana <Ana@example.com>",
    f"mailto:{MAIL}?subject=x",
    f"'{MAIL}'",
    f"{MAIL}.",
    "ana%40example.com",
    "ana%2540example.com",
    "ana&#64;example.com",
    "ana\\u0040example.com",
    "ana\uff20example.com",
    "\u200bana@\u200bexample.com",
]
HER_PROFILE = [
    f"{URL}/en",
    f"{URL}/de-DE/?x=1",
    f"{URL}/overlay/contact-info/",
    f"{URL}/recent-activity/all/",
    "https://www.linkedin.com/mwlite/in/Ana",
    "//linkedin.com/in/ana",
    "https://www.linkedin.com//in//ana",
    "https%3A%2F%2Flinkedin.com%2Fin%2Fana",
    "See https://linkedin.com/in/ana.",
    f"{URL}?next=linkedin.com/in/bob",
]
OTHERS = [
    "o'ana@example.com",
    "-ana@example.com",
    "x.ana@example.com",
    "Ana <ana@example.com.org>",
    "ana%40example.org",
    "linkedin.com/in/ana-b/en",
    "https://www.linkedin.com/in/bob?next=linkedin.com/in/ana",
    "https://notlinkedin.com/in/ana/en",
    "https://linkedin.com/company/ana/en",
]


@pytest.mark.parametrize("spelling", [*HER_ADDRESS, *HER_PROFILE])
def test_a_contact_is_hers_however_it_is_spelt(spelling: str) -> None:
    way, value = ("linkedin_profile_url", URL) if spelling in HER_PROFILE else ("emails__work", MAIL)
    assert ANA.is_about({"id": "1", way: spelling}, LEADS)
    assert ANA.is_about({"id": "1", "_misfits": {way.replace("__", "."): [spelling]}}, LEADS)
    known = identifiers({way: spelling}, {way: contacts(LEADS)[way]}, POLICY)
    assert POLICY.hash(value) in known.values()


@pytest.mark.parametrize("spelling", OTHERS)
def test_a_contact_that_is_spelt_in_another_way_is_nobody_elses(spelling: str) -> None:
    assert not ANA.is_about({"id": "1", "emails__work": spelling, "linkedin_profile_url": spelling}, LEADS)


@pytest.mark.parametrize("spelling", [*HER_ADDRESS, *HER_PROFILE])
def test_what_mentions_her_is_taken_out_of_what_others_say_however_it_is_spelt(spelling: str) -> None:
    said = {"note": f"as {spelling} says", "link": f"https://x.example/?of={spelling}&lang=en"}
    assert ANA.without(said) == {"note": None, "link": None}
    assert any(needle in looked_through(spelling) for needle in needles({MAIL: "-", URL: "-"}))


@pytest.mark.parametrize(
    "spelling", ["ana%40example.org", "bob&#64;example.com", "50% of 40 &c.", "linkedin.com/in/bob/en"]
)
def test_what_is_encoded_and_mentions_others_stays(spelling: str) -> None:
    assert ANA.without({"note": spelling}) == {"note": spelling}


def test_two_persons_addresses_in_one_text_are_each_ones_own_and_make_no_one_person() -> None:
    both = {"emails__work": f"{MAIL}; bob@example.com"}
    assert ANA.is_about({"id": "1", **both}, LEADS)
    assert identifiers(both, {"emails__work": Category.EMAIL}, POLICY) == {}
    phones = {"id": "1", "phone": "+1 415 555 0199 / +1 415 555 0100"}
    assert ANA.is_about(phones, LEADPING.tables["leads"])
    assert POLICY.hash(PHONE) not in identifiers(phones, {"phone": Category.PHONE}, POLICY).values()


def test_whom_an_earlier_release_kept_out_stays_out() -> None:
    page = f"{URL}/en"  # was a profile of its own
    earlier = Suppressions({POLICY.hash(page), POLICY.hash("mailto:ana@example.com")}, POLICY, HERE)
    assert earlier.is_about({"id": "1", "linkedin_profile_url": page}, LEADS)
    assert earlier.is_about({"id": "1", "emails": {"work": "mailto:ana@example.com"}}, LEADS)


# --- rows of others ----------------------------------------------------------------------------------

COST = {
    "id": "1",
    "lead": {"id": ID, "name": "Ana"},
    "description": "Ana",
    "amount": 2,
    "transactionStatus": "ok",
    "odd": "Ana",
}
LEFT = {
    "id": "1",
    "lead": {"id": None, "name": None},
    "description": None,
    "amount": 2,
    "transactionStatus": "ok",
    "odd": None,
}


def test_of_what_a_lead_cost_nothing_is_left_that_tells_of_the_lead() -> None:
    hers, table = Suppressions(ANA.hashes, POLICY, LEADPING.origin), LEADPING.tables["transactions"]
    assert hers.left_of(COST, table) == LEFT
    stored = {
        "lead__id": ID,
        "lead__name": "Ana",
        "description": "Ana",
        "_dlt_id": "x",
        "billing_channel": "sms",
    }
    assert hers.left_of(stored, table) == {
        **stored,
        "lead__id": None,
        "lead__name": None,
        "description": None,
    }
    other = {**COST, "lead": {"id": "2", "name": "Bob"}}
    assert hers.left_of(other, table) == other


@pytest.mark.parametrize(
    ("row", "left"),
    [
        (
            {"name": "Bob", "by": {"fullName": "Ana", "mail": MAIL, "n": 1}},
            {"name": "Bob", "by": {"fullName": None, "mail": None, "n": 1}},
        ),
        (
            {"name": "Bob", "by__name": "Ana", "by__mail": MAIL},
            {"name": "Bob", "by__name": None, "by__mail": None},
        ),
        ({"name": "Bob", "mail": MAIL}, {"name": "Bob", "mail": None}),
        (
            {"actorEmail": MAIL, "actorDisplayName": "Ana", "leadName": "Bob"},
            {"actorEmail": None, "actorDisplayName": None, "leadName": "Bob"},
        ),
        (
            {"by__from_phone_number": PHONE, "by__from_name": "Ana", "from_name": "Bob"},
            {"by__from_phone_number": None, "by__from_name": None, "from_name": "Bob"},
        ),
        ({"note": f"see {URL}, she says"}, {"note": None}),
    ],
)
def test_with_how_to_reach_them_goes_the_name_beside_it(row: dict[str, Any], left: dict[str, Any]) -> None:
    assert ANA.without(row) == left


def test_contacts_are_documented_ones_and_those_that_are_called_like_it() -> None:
    assert set(contacts(TABLES["leads"])) >= {"linkedin_profile_url", "emails__work", "email"}
    assert "email" in contacts(TABLES["lead_magnet_captures"])


def test_what_a_person_is_called_by_is_taken_out_of_what_others_say() -> None:
    said = {"note": "+1 (415) 555-0100", "other": "+1 415 555 0101", "by": "ana+x@example.com"}
    assert ANA.without(said) == {"note": None, "other": "+1 415 555 0101", "by": None}


# --- identifiers -------------------------------------------------------------------------------------

COLUMNS = {
    "work": Category.EMAIL,
    "personal": Category.EMAIL,
    "profile": Category.PROFILE_URL,
    "phone": Category.PHONE,
}


def test_a_persons_identifiers_are_the_hashes_of_their_addresses_and_profiles() -> None:
    row = {
        "work": " Ana@Example.com",
        "personal": None,
        "profile": URL,
        "phone": "415.555.0100",
        "name": "Ana",
        "other": "x@y.example",
    }
    known = {value: POLICY.hash(value) for value in (MAIL, "linkedin.com/in/ana", PHONE)}
    assert identifiers(row, COLUMNS, POLICY) == known


def test_values_that_are_hashed_already_are_identifiers_as_they_are() -> None:
    row = {"work": POLICY.hash(MAIL), "profile": POLICY.hash(URL)}
    assert set(identifiers(row, COLUMNS, POLICY).values()) == {POLICY.hash(MAIL), POLICY.hash(URL)}


def test_of_a_list_each_address_identifies_and_not_what_stands_beside_it() -> None:
    raw = [MAIL, {"address": "B@example.com", "kind": "home"}]
    assert set(identifiers({"work": raw}, COLUMNS, POLICY)) == {MAIL, "b@example.com"}
    hashed = [POLICY.hash(MAIL), {"address": POLICY.hash("b@example.com"), "kind": POLICY.hash("home")}]
    assert set(identifiers({"work": hashed}, COLUMNS, POLICY)) == {POLICY.hash(MAIL)}


@pytest.mark.parametrize("value", ["", "   ", "Ana", "n/a", "a***", None, 5, ["n/a", {"a": "Ana"}], "@"])
def test_what_is_no_address_and_no_profile_identifies_nobody(value: Any) -> None:
    assert identifiers({"work": value}, COLUMNS, POLICY) == {}


@pytest.mark.parametrize(
    "value", ["info@example.com", "Sales+x@example.com", "https://linkedin.com/company/acme"]
)
def test_what_belongs_to_no_single_person_identifies_nobody_hashed_or_not(value: str) -> None:
    assert identifiers({"work": value}, COLUMNS, POLICY) == {}
    assert identifiers({"work": POLICY.hash(value)}, COLUMNS, POLICY) == {}


@pytest.mark.parametrize("value", [MAIL, URL])
def test_a_masked_value_identifies_nobody_since_many_share_it(value: str) -> None:
    assert identifiers({"work": mask(value)}, COLUMNS, POLICY) == {}


SPELLINGS = {
    "Ana.B+x@Example.com": [
        "ana.b+x@example.com",
        " ANA.B+X@EXAMPLE.COM",
        '{"likes.ana\\.b+x@example\\.com": 1}',
        "ana.b@example.com",
        "Ana.B+news@example.com",
    ],
    "ana.b@gmail.com": ["AnaB@gmail.com", "a.n.a.b+x@googlemail.com"],
    "https://www.linkedin.com/in/Jos\u00e9-Gil/": [
        "http://de.linkedin.com/in/jos\u00e9-gil?x=1",
        "linkedin.com/in/jose\u0301-gil",
        "https://linkedin.com/in/jos%C3%A9-gil",
        "https://linkedin.com/in/%6aos%c3%a9%2dgil",
    ],
    "https://linkedin.com/in/\u30a2\u30ca": [
        "https://linkedin.com/in/%E3%82%A2%E3%83%8A",
        "linkedin.com/in/\u30a2\u30ca/",
    ],
    "0b8e3c1e-LEAD": ["0b8e3c1e-LEAD", '["0b8e3c1e-LEAD"]'],
    "\u540d": ["\u540d"],
}


@pytest.mark.parametrize(
    ("known", "stored"), [(k, s) for k, spellings in SPELLINGS.items() for s in spellings]
)
def test_every_spelling_of_what_is_known_holds_one_of_the_needles(known: str, stored: str) -> None:
    assert any(needle in looked_through(stored) for needle in needles({known: POLICY.hash(known)}))


def test_of_a_phone_number_the_digits_are_looked_for_that_all_spellings_have() -> None:
    assert digits_of([PHONE, MAIL, "+442079460000;ext=12"]) == {"5550100", "9460000"}


def test_a_needle_is_in_few_other_values() -> None:
    found = needles({MAIL: POLICY.hash(MAIL), ID: POLICY.hash(ID)})
    begun = {f"ana{more}" for more in ("+", "%", "&", "\uff20", "u0040")}
    assert found == {"ana@examplecom", *begun, POLICY.hash(MAIL), ID, POLICY.hash(ID)}


def test_what_is_hashed_is_looked_for_as_it_is() -> None:
    known = identifiers({"work": POLICY.hash(MAIL)}, COLUMNS, POLICY)
    assert needles(known) == {POLICY.hash(MAIL)}


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
    assert Suppressions({POLICY.hash(MAIL)}, hashing).is_about({"email": MAIL}, LEADS)
