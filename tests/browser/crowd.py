"""Many clients in a warehouse without a sync, to look at in a browser."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from pipelines.report.gathering import Told, gather, plain
from pipelines.report.page import load_library, render
from sources.core.privacy.policy import Policy
from sources.core.tables import ledger_table
from sources.core.warehouse.analysis import annotations_of_views
from sources.core.warehouse.annotations import annotate, share_views
from sources.core.warehouse.warehouse import Warehouse
from sources.leadpanther import LEADPANTHER
from sources.leadpanther.columns import TABLES
from tests.views.ground import DATASET, DOCUMENTED, Ground

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
MORE = {
    "leads": {"created_at": "timestamp"},
    "activity": {"created_at": "timestamp"},
    "posts": {"published_at": "timestamp"},
    "post_engagement": dict.fromkeys(("impressions", "reactions", "comments", "shares"), "bigint"),
    "lead_magnet_analytics": dict.fromkeys(("views", "captures"), "bigint"),
}
SOURCES = "['comment', 'message', 'form', 'lead_magnet', NULL]"
KEYWORDS = "['GUIDE', 'PLAYBOOK', 'DEMO', 'A keyword that is a whole sentence, for whatever reason', NULL]"


def client_id(number: int) -> str:
    return f"client-{number:04}"


def fill(ground: Ground, clients: int) -> None:
    """Puts rows into all tables, the same for the same number."""
    now = f"TIMESTAMPTZ '{NOW.isoformat()}'"
    client = f"printf('client-%04d', i % {clients})"
    post = f"'post-' || (i % {clients * 15})"
    selects = {
        "clients": f"""SELECT {client} AS client_id, 'Secret Firm ' || i AS business_name,
            'Secret Holder ' || i AS full_name, 'active' AS account_status,
            CASE WHEN i % 40 = 7 THEN {now} - INTERVAL 9 DAY END AS access_lost_at
            FROM range({clients}) t(i)""",
        "leads": f"""SELECT {client} AS client_id, 'lead-' || i AS id, 'Secret Person ' || i AS name,
            'https://www.linkedin.com/in/secret-' || i AS linkedin_profile_url,
            {SOURCES}[1 + CAST(hash(i) % 5 AS integer)] AS source,
            {KEYWORDS}[1 + CAST(hash(i + 1) % 5 AS integer)] AS latest_keyword,
            ['qualified', 'unqualified'][1 + CAST(hash(i + 2) % 2 AS integer)] AS qualification_status,
            hash(i + 3) % 3 = 0 AS has_intent, {now} AS first_seen_at,
            {now} - INTERVAL 1 HOUR * CAST(hash(i + 4) % 5000 AS integer) AS created_at
            FROM range({clients * 150}) t(i)""",
        "activity": f"""SELECT {client} AS client_id, 'activity-' || i AS id, 'Secret words' AS content,
            'https://www.linkedin.com/in/secret-' || (i - i % 3 * {clients}) AS linkedin_profile_url,
            {SOURCES}[1 + CAST(hash(i) % 2 AS integer)] AS source,
            {KEYWORDS}[1 + CAST(hash(i + 5) % 5 AS integer)] AS keyword,
            {post} AS metadata__post_id, {now} AS first_seen_at,
            {now} - INTERVAL 1 HOUR * CAST(hash(i + 6) % 5000 AS integer) AS created_at
            FROM range({clients * 300}) t(i)""",
        "posts": f"""SELECT {client} AS client_id, {post} AS id, 'published' AS status,
            'What nobody tells you about </script> number ' || i || ': ' || repeat('words ', 30) AS text,
            {now} - INTERVAL 1 DAY * CAST(i // {clients} * 8 AS integer) AS published_at,
            {now} AS first_seen_at
            FROM range({clients * 15}) t(i)""",
        "post_engagement": f"""SELECT {client} AS client_id, {post} AS post_id,
            CAST({now} AS date) - CAST(n AS integer) AS snapshot_date,
            (120 - n) * (5 + i % 7 + CAST(hash(n) % 3 AS integer)) AS impressions,
            (120 - n) * (1 + i % 3) // 4 AS reactions, (120 - n) // 9 AS comments, (120 - n) // 20 AS shares
            FROM range({clients * 15}) t(i), range(0, 100, 3) r(n)""",
        "lead_magnets": f"""SELECT {client} AS client_id, 'magnet-' || i AS id,
            'hosted_content' AS delivery_mode, {now} AS first_seen_at FROM range({clients * 3}) t(i)""",
        "lead_magnet_analytics": f"""SELECT {client} AS client_id, 'magnet-' || i AS lead_magnet_id,
            CAST({now} AS date) AS snapshot_date, 100 + i AS views, i % 40 AS captures
            FROM range({clients * 3}) t(i)""",
        "sync_log": f"""SELECT 'run' AS run_id, {client} AS client_id, resource,
            CASE WHEN hash(i, resource) % 60 = 0 THEN 'failed' ELSE 'ok' END AS status,
            CASE WHEN hash(i, resource) % 60 = 0 THEN 'the server answers 503' END AS note,
            {now} - INTERVAL 2 HOUR AS started, {now} - INTERVAL 2 HOUR AS finished, 1 AS "rows"
            FROM range({clients}) t(i), (SELECT unnest({[*_resources()]}) AS resource)""",
    }
    for table, select in selects.items():
        ground.ask(f"INSERT INTO {DATASET}.{table} BY NAME {select}")


def _resources() -> Sequence[str]:
    return [name for name in TABLES if name not in ("api_subject", "clients")]


def crowd(clients: int) -> Ground:
    """A warehouse of so many clients, with all views."""
    ground = Ground(None, MORE)
    fill(ground, clients)
    make_everything(ground)
    return ground


def make_everything(ground: Ground) -> None:
    """Makes the views for analysts, and those that are safe to share."""
    ground.make()
    warehouse, policy = cast(Warehouse, ground), Policy()
    types = {table: ground.types(table) for table in DOCUMENTED}
    tables = [*TABLES.values(), ledger_table(LEADPANTHER.account)]
    of_tables = annotate(tables, types, policy)
    share_views(warehouse, [*of_tables, *annotations_of_views(warehouse, LEADPANTHER, policy)])


def page(ground: Ground, *clients: str, personal: bool = False) -> str:
    """The report."""
    assert LEADPANTHER.report
    told = Told(LEADPANTHER.name, LEADPANTHER.title, LEADPANTHER.account_word, LEADPANTHER.account.name)
    section = gather(cast(Warehouse, ground), LEADPANTHER.report, told, clients, personal, NOW)
    about = {"made_at": plain(NOW), "personal": personal, "titles": {LEADPANTHER.name: LEADPANTHER.title}}
    return render({**about, "sections": [section]}, load_library())
