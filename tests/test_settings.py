"""Settings: what is misspelled is refused with what was meant, and people are told what counts and why."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import tomlkit

from pipelines.documentation import SETTINGS_FILE
from pipelines.settings import check_all_settings, load_sync_config, sections
from pipelines.settings_file import settings_file
from pipelines.vendors import vendors_to_read
from sources.core.configuration import secrets_of
from sources.core.errors import ConfigurationError
from sources.core.privacy.configuration import load_policy
from sources.core.privacy.policy import Treatment
from sources.core.tables import Category
from sources.core.vendor_settings import read_config
from sources.leadleap import LEADLEAP
from sources.leadpanther.sandbox import Sandbox, World
from tests.support import environment, forget_pipelines, run_leadhouse

KEYS = {"LEADPANTHER_API_KEY": "lp_live_hunter2", "LEADLEAP_API_KEY": "ll_hunter2"}

MISSPELLED = {
    "[leadhouse]\nslice_rowz = 5": r"slice_rowz under \[leadhouse\] in \.dlt/config\.toml.*slice_rows\?",
    "[leadhouse.ping]\nstrat = 'x'": r"strat under \[leadhouse\.ping\].*start\?",
    "[leadhuose]\nslice_rows = 5": r"section \[leadhuose\] in .*config\.toml.*\[leadhouse\]\?",
    "[sources.leadpanter]\nclients = []": r"\[sources\.leadpanter\].*\[sources\.leadpanther\]\?",
    "[sources.leadpanther]\ncomplete_hour = 5": r"complete_hour under .*complete_hours\?",
    "[sources.leadleap]\nsegmets = {}": r"segmets under \[sources\.leadleap\].*segments\?",
    "[sources.leadleap.segments.us]\ncontry = 'US'": r"contry in .*segments\.us\].*country\?",
    "[sources.leadleap.segments.us]\nmax_row = 5": r"max_row in .*max_rows\?",
    "[sources.leadleap.segments.us]\ntype = 'bussiness'": r"type in .*business",
    "[sources.leadleap.accounts.x]\nmax_row = 5": r"max_row under .*accounts\.x\].*max_rows\?",
    "[sources.leadleap.accounts]\nacme = 'll_hunter2'": r"acme under .*is no section: \[.*accounts\.acme\]",
    "[privacy]\ntreatmnt = 'hash'": r"treatmnt under \[privacy\].*treatment\?",
    "[privacy.categories]\nemial = 'mask'": r"emial in \[privacy\.categories\].*email\?",
    "[views.engagement]\nimpresions = 'x'": r"impresions under \[views\.engagement\].*impressions\?",
    "[leadhouse]\nzzz = 5": r"zzz under \[leadhouse\].*there are destination, dataset",
    "[sources.leadpanther]\napi_key = 'lp_live_hunter2'": r"api_key .*secret.*config\.toml.*secrets\.toml",
    "[leadhouse]\nslice_rows = 0": r"slice_rows under \[leadhouse\] is 0: it is to be more than 0",
    "[sources.leadleap]\nrequests_in_flight = -1": r"requests_in_flight .* is -1: it is to be more than 0",
    "[sources.leadron]\ncomplete_hours = nan": r"complete_hours .* is nan: it is to be 0 or more",
    "[sources.leadron]\nkeep_quota = 150": r"keep_quota .* is 150.*: it is to be 100 or less",
    "[sources.leadpanther]\nclients = [1, 2]": r"clients under .* list of texts: put each into quotes",
    "[sources.leadleap.segments.us]\nfull_scan_every = -1": r"full_scan_every in .* is -1: .*0 or more",
    "[leadhouse]\ndataset = 'leadhouse'": r"dataset cannot be called 'leadhouse': people .* are there",
    "[sources.leadpanther]\ncomplete_hours = 'many'": r"complete_hours .*in \.dlt/config\.toml.*a number",
}


@pytest.mark.parametrize(
    "url", ["nonsense", "hc-ping.com/x", "ftp://hc-ping.com/x", "https://", "http://a:b/x"]
)
def test_what_is_no_address_to_call_is_refused_and_not_repeated(home: Path, url: str) -> None:
    write(home, f"[leadhouse.ping]\nstart = '{url}'", "secrets.toml")
    with environment(**KEYS), pytest.raises(ConfigurationError) as refused:
        check_all_settings()
    assert str(refused.value) == "start under [leadhouse.ping] is not an http(s) URL"


def write(home: Path, text: str, name: str = "config.toml") -> None:
    (home / ".dlt").mkdir(exist_ok=True)
    (home / ".dlt" / name).write_text(text)
    forget_pipelines(home)


@pytest.mark.parametrize(
    ("name", "why"),
    {
        "my data": "letters",
        "x" * 51: "50 letters",
        "Leadhouse": "people",
        "main": "databases keep",
        "pg_mine": "databases keep",
        "Select": "word of SQL",
        "left": "word of SQL",
        "user": "word of SQL",
        "groups": "word of SQL",
    }.items(),
)
def test_a_name_that_no_schema_can_have_is_refused_before_anything_is_read(
    home: Path, name: str, why: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^the dataset cannot be called '{name}': .*{why}"):
        load_sync_config(dataset=name)
    assert load_sync_config(dataset="acme_leads").dataset == "acme_leads"


@pytest.mark.parametrize("text", MISSPELLED)
def test_what_is_no_setting_is_refused_with_its_place_and_what_was_meant(home: Path, text: str) -> None:
    write(home, text)
    with environment(**KEYS), pytest.raises(ConfigurationError, match=MISSPELLED[text]) as refused:
        check_all_settings()
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "meant"),
    {
        "LEADHOUSE__SLICE_ROWZ": "slice_rows",
        "LEADHUOSE__SLICE_ROWS": "leadhouse",
        "SOURCES__LEADLEAP__MAX_ROW": "max_rows",
        "SOURCES__LEADLAEP__MAX_ROWS": "leadleap",
        "LEADPANTHER_BASE_ULR": "LEADPANTHER_BASE_URL",
        "PRIVACY_TREATMENT": "PRIVACY__TREATMENT",
        "privacy__treatment": "PRIVACY__TREATMENT",
        "Privacy_treatmnt": "PRIVACY__TREATMENT",
        "PRIVACY_CATEGORIES_EMAIL": r"PRIVACY__CATEGORIES__\.\.\.",
        "LEADHOUSE_DESTINATION": "LEADHOUSE__DESTINATION",
        "LEADHOUSE_PING_SUCCESS": r"LEADHOUSE__PING__\.\.\.",
        "SOURCES_LEADPANTHER_CLIENTS": "SOURCES__LEADPANTHER__CLIENTS",
        "SOURCES_LEADRON_API_KEY": "SOURCES__LEADRON__API_KEY",
        "SOURCES_LEADLEAP_ACCOUNTS_ACME_API_KEY": r"SOURCES__LEADLEAP__ACCOUNTS__\.\.\.",
        "SOURCES_LEADLEAP_SEGMENTS_US_COUNTRY": r"SOURCES__LEADLEAP__SEGMENTS__\.\.\.",
        "SOURCES_LEADRON_ACCOUNTS_ACME_API_KEY": r"SOURCES__LEADRON__ACCOUNTS__\.\.\.",
        "LEADLEP_API_KEY": "LEADLEAP_API_KEY",
        "LEADPING__API_KEY": "LEADPING_API_KEY",
    }.items(),
)
def test_a_misspelled_variable_is_refused_as_well(home: Path, variable: str, meant: str) -> None:
    with environment(**KEYS, **{variable: "5"}), pytest.raises(ConfigurationError, match=meant) as refused:
        check_all_settings()
    assert variable in str(refused.value)


def test_variables_may_say_a_part_of_a_section(home: Path) -> None:
    write(home, "[privacy.categories]\nphone = 'drop'\n[sources.leadleap.segments.us]\ncountry = 'US'\n")
    given = {
        "PRIVACY__CATEGORIES__EMAIL": "mask",
        "SOURCES__LEADLEAP__SEGMENTS__US__YEAR_FOUNDED_MIN": "2010",
        "SOURCES__LEADLEAP__SEGMENTS__DE__COUNTRY": "Germany",
    }
    with environment(**KEYS, **given):
        check_all_settings()
        policy, config = load_policy(), read_config(LEADLEAP)
    assert policy.by_category == {Category.PHONE: Treatment.DROP, Category.EMAIL: Treatment.MASK}
    assert config.segments == {  # type: ignore[attr-defined]
        "us": {"country": "US", "year_founded_min": 2010},
        "de": {"country": "Germany"},
    }
    with (
        environment(PRIVACY__CATEGORIES__EMIAL="mask"),
        pytest.raises(ConfigurationError, match=r"emial in \[privacy\.categories\].*email\?"),
    ):
        load_policy()


def test_settings_of_other_programs_are_nobodys_business(home: Path) -> None:
    write(home, "[sources.hubspot]\nx = 1\n[runtime]\nlog_level = 'ERROR'\n[tool.other]\ny = 2\n")
    others = dict.fromkeys(
        (
            "SOURCES__STRIPE__X",
            "LEADHOUSE_HOME",
            "LEADPIPE_API_KEY",
            "LEADS_API_KEY",
            "PRIVACY_POLICY_URL",
            "PING_SUCCESS",
            "VIEWS",
            "BASE_URL",
            "API_KEY",
            "DESTINATION",
            "HUBSPOT_API_KEY",
            "SOURCE",
        ),
        "1",
    )
    with environment(**KEYS, **others):
        assert len(vendors_to_read()) == 2
        check_all_settings()


def test_a_broken_file_is_named_by_the_command_line_with_its_line(home: Path) -> None:
    folder = home / "broken"
    (folder / ".dlt").mkdir(parents=True)
    (folder / ".dlt/secrets.toml").write_text('[sources.leadpanther]\napi_key = "lp_live_hunter2\n')
    process = run_leadhouse("sync", folder=folder)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert re.fullmatch(r"leadhouse: .*secrets\.toml is not TOML: .*line 2.*\n", err)
    assert "hunter2" not in out + err


def test_check_shows_what_is_in_force_and_where_it_stands_but_no_secret(home: Path) -> None:
    write(home, "[leadhouse]\nslice_rows = 7\n[privacy.categories]\nemail = 'mask'\n")
    write(home, "[privacy]\nkey = 'hunter2 hunter2 hunter2'\n", "secrets.toml")
    given = {"LEADPANTHER_API_KEY": "lp_live_hunter2", "SOURCES__LEADLEAP__MAX_ROWS": "9"}
    process = run_leadhouse("check", "--settings", folder=home, environment=given)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "hunter2" not in out + err
    for line in (
        r"slice_rows +7 +\.dlt/config\.toml",
        r'categories +\{"email": "mask"\} +\.dlt/config\.toml',
        r"key +\(a secret\) +\.dlt/secrets\.toml",
        r"api_key +\(a secret\) +the environment, LEADPANTHER_API_KEY",
        r"max_rows +9 +the environment, SOURCES__LEADLEAP__MAX_ROWS",
        r"complete_hours +24\.0 +default",
    ):
        assert re.search(line, out), line


def test_the_file_of_settings_is_what_make_docs_writes() -> None:
    assert SETTINGS_FILE.read_text() == settings_file()


def test_every_setting_stands_in_it_with_its_default(home: Path) -> None:
    text = re.sub(r"^# (?=[\[\"\w])", "", settings_file(), flags=re.MULTILINE)
    settings = tomlkit.parse(text[text.index("[leadhouse]") :].split("dlt's own")[0]).unwrap()
    for section in sections():
        found = settings
        for name in section.name.split("."):
            found = found.get(name, {})
        for field in fields(section.kind):
            if field.name in secrets_of(section.kind):
                assert field.name not in found
            elif "example" in field.metadata:
                assert found[field.name] == field.metadata["example"]
            else:
                default = section.defaults.get(field.name, field.default)
                assert found[field.name] == ([] if default is None else default)


def test_a_folder_with_that_file_syncs_as_one_without(home: Path) -> None:
    plain = load_sync_config()
    write(home, settings_file())
    assert load_sync_config() == plain


def test_a_byte_order_mark_is_named(home: Path) -> None:
    folder = home / "marked"
    (folder / ".dlt").mkdir(parents=True)
    (folder / ".dlt/secrets.toml").write_text("\ufeff[leadhouse.ping]\n", encoding="utf-8")
    process = run_leadhouse("check", "--settings", folder=folder)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert re.fullmatch(r"leadhouse: \S*secrets\.toml begins with a byte order mark, .* without BOM\n", err)


@pytest.mark.long
@pytest.mark.parametrize("command", ["sync", "check"])
def test_what_is_wrong_for_all_vendors_is_said_once(home: Path, command: str) -> None:
    process = run_leadhouse(command, folder=home, environment={**KEYS, "PRIVACY__TREATMENT": "hsh"})
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == "leadhouse: unknown treatment under [privacy]: choose from tag, mask, hash, drop\n"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('privacy = "mask"', r"privacy in .*config.toml is a value where a section belongs.*\[privacy\]"),
        ("leadhouse = 3", r"leadhouse in .*\[leadhouse\]"),
        ('[sources]\nleadron = "x"', r"leadron in .*\[sources.leadron\]"),
        ("sources = 3", r"sources in .*\[sources"),
    ],
)
def test_a_value_where_a_section_belongs_is_not_passed_over(tmp_path: Path, config: str, said: str) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text(config + "\n")
    key = {"LEADRON_API_KEY": "ldr_live_sk_x", "LEADRON_BASE_URL": "http://127.0.0.1:9"}
    process = run_leadhouse("sync", "--source", "leadron", "--quiet", folder=tmp_path, environment=key)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    (line,) = error.strip().splitlines()
    assert re.search(said, line)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ('[runtime]\nlog_level = "BANANA"', r"\[runtime\]"),
        ("runtime = 3", r"\[runtime\]"),
        ('[runtime]\nrequest_timeout = "x"', r"request_timeout under \[runtime\]"),
        ("load = 3", r"load in .*config\.toml"),
        ('[load]\nworkers = "x"', "workers"),
        ('[data_writer]\nfile_max_items = "x"', "file_max_items"),
    ],
)
def test_a_setting_of_dlts_that_cannot_be_right_is_named_in_one_line(
    tmp_path: Path, settings: str, named: str
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt/config.toml").write_text(f"{settings}\n")
    with Sandbox(World.make(clients=1, leads=3, activity=0, posts=0, lead_magnets=0)) as sandbox:
        given = {
            "LEADPANTHER_BASE_URL": sandbox.base_url,
            "LEADPANTHER_API_KEY": sandbox.world.agency_key,
        }
        process = run_leadhouse("sync", folder=tmp_path, environment=given)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2, out + err
    assert re.fullmatch(rf"leadhouse: .*{named}.*\n", err)
