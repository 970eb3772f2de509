"""How long each view takes on 2 million leads in DuckDB: `python -m tests.views.speed`."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from sources.core.warehouse.analysis import views_of
from sources.leadpanther import LEADPANTHER
from tests.views.ground import DATASET, Ground

CLIENTS, LEADS, POSTS, READINGS, RUNS = 200, 2_000_000, 40_000, 25, 700
MORE = {
    "leads": {"created_at": "timestamp", "tags": "json"},
    "activity": {"created_at": "timestamp"},
    "post_engagement": dict.fromkeys(("impressions", "reactions", "comments", "shares", "clicks"), "bigint"),
    "lead_magnet_analytics": dict.fromkeys(("views", "captures"), "bigint"),
}
CLIENT = f"md5('client' || i % {CLIENTS})"
SOURCE = "['comment', 'message', 'form', NULL][1 + i % 4]"
KEYWORD = "['GUIDE', 'PLAYBOOK', 'DEMO', 'PRICING', NULL][1 + i % 5]"
FILL = {
    "clients": f"SELECT DISTINCT {CLIENT} AS client_id, 'Firm' AS business_name FROM range({CLIENTS}) t(i)",
    "leads": f"""
        SELECT {CLIENT} AS client_id, md5('lead' || i) AS id,
            'https://www.linkedin.com/in/person-' || i AS linkedin_profile_url, 'Person ' || i AS name,
            'person-' || i || '@example.com' AS emails__work, 'Head of ' || i AS headline,
            {SOURCE} AS source, {KEYWORD} AS latest_keyword,
            ['qualified', 'unqualified', NULL][1 + i % 7 % 3] AS qualification_status,
            i % 3 = 0 AS has_intent,
            now() - INTERVAL 1 MINUTE * (i % 500_000) AS created_at, now() AS first_seen_at,
            CASE WHEN i % 50 = 0 THEN now() END AS deleted_at
        FROM range({LEADS}) t(i)""",
    "activity": f"""
        SELECT {CLIENT} AS client_id, md5('activity' || i) AS id, 'A comment on ' || i AS content,
            'de.linkedin.com/in/Person-' || (i - i % 3 * {CLIENTS}) || '/?x=y' AS linkedin_profile_url,
            {SOURCE} AS source, {KEYWORD} AS keyword, md5('post' || i % {POSTS}) AS metadata__post_id,
            now() - INTERVAL 1 MINUTE * (i % 500_000) AS created_at, now() AS first_seen_at
        FROM range({LEADS}) t(i)""",
    "posts": f"""
        SELECT {CLIENT} AS client_id, md5('post' || i) AS id, 'Text' AS text, 'published' AS status,
            now() - INTERVAL 1 HOUR * (i % 9000) AS scheduled_at, now() AS first_seen_at
        FROM range({POSTS}) t(i)""",
    "post_engagement": f"""
        SELECT {CLIENT} AS client_id, md5('post' || i) AS post_id,
            CAST(now() AS date) - CAST(n * (1 + n // 8) AS integer) AS snapshot_date,
            (i + 10) * (30 - n) AS impressions, i % 100 * (30 - n) AS reactions, i % 40 AS comments,
            i % 7 AS shares, i % 50 * (30 - n) AS clicks
        FROM range({POSTS}) t(i), range({READINGS}) r(n)""",
    "lead_magnets": f"""
        SELECT {CLIENT} AS client_id, md5('magnet' || i) AS id, 'hosted_content' AS delivery_mode,
            now() AS first_seen_at
        FROM range({CLIENTS * 20}) t(i)""",
    "lead_magnet_analytics": f"""
        SELECT {CLIENT} AS client_id, md5('magnet' || i) AS lead_magnet_id,
            CAST(now() AS date) - CAST(n AS integer) AS snapshot_date,
            i * (400 - n) AS views, 400 - n AS captures
        FROM range({CLIENTS * 20}) t(i), range(365) r(n)""",
    "lead_magnet_captures": f"""
        SELECT {CLIENT} AS client_id, md5('magnet' || i % {CLIENTS * 20}) AS lead_magnet_id,
            md5('capture' || i) AS id, now() - INTERVAL 1 MINUTE * (i % 100_000) AS first_seen_at
        FROM range({LEADS // 4}) t(i)""",
    "sync_log": f"""
        SELECT CAST(n AS text) AS run_id, {CLIENT} AS client_id, resource, 'ok' AS status,
            now() - INTERVAL 1 HOUR * n AS started, now() - INTERVAL 1 HOUR * n AS finished, 1 AS rows
        FROM range({CLIENTS}) t(i), range({RUNS}) r(n),
            (SELECT unnest(['leads', 'activity', 'posts', 'lead_magnets', 'post_engagement',
                'lead_magnet_analytics', 'lead_magnet_captures']) AS resource)""",
}


def measure(ground: Ground, view: str) -> tuple[int, float, float]:
    """How many rows a view has, the seconds that it takes to compute all of them, and CPU seconds."""
    columns = ground.query(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
        DATASET,
        view,
    )
    # Counting and hashing every value: nothing can be optimised away, and nothing is sent anywhere.
    parts = ", ".join(f'max(hash("{name}"))' for (name,) in columns)
    started, worked = time.perf_counter(), time.process_time()
    count = ground.query(f"SELECT count(*), {parts} FROM {DATASET}.{view}")[0][0]
    return count, time.perf_counter() - started, time.process_time() - worked


def main() -> None:
    with TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "big.duckdb")) as connection:
        ground = Ground(connection, MORE)
        for table, select in FILL.items():
            ground.ask(f"INSERT INTO {DATASET}.{table} BY NAME {select}")
        ground.make()
        for view in views_of(LEADPANTHER):
            if sys.argv[1:] and view.name not in sys.argv[1:]:
                continue
            best = min((measure(ground, view.name) for _ in range(3)), key=lambda found: found[1])
            print(
                f"{view.name:25} {best[0]:>10,} rows  {best[1]:6.2f} s  {best[2]:6.2f} s of CPU", flush=True
            )


if __name__ == "__main__":
    main()
