"""Questions that analysts ask, and how the views answer them: for the demo, and for the source's README.

`make docs` writes them there, with what the demo's account answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import Any
from unicodedata import east_asian_width

import duckdb

from pipelines.settings import DUCKDB, SyncConfig, load_sync_config
from pipelines.syncing.sync import sync
from sources.leadpanther.config import LeadPantherConfig, load_config
from sources.leadpanther.readme import FILE, replaced
from sources.leadpanther.sandbox import Sandbox, World

QUESTIONS = {
    "Which clients get leads, and how many of them are qualified?": """
        SELECT business_name AS client, leads, leads_qualified AS qualified
        FROM leadpanther.client_scorecard
        ORDER BY leads DESC""",
    "Which posts bring leads?": """
        SELECT business_name AS client, left(text, 30) AS post, impressions, activity, leads
        FROM leadpanther.post_performance
        JOIN leadpanther.clients USING (client_id)
        ORDER BY leads DESC, impressions DESC
        LIMIT 5""",
    "Which lead magnets convert best?": """
        SELECT business_name AS client, title, views, captures, round(100 * conversion_rate, 2) AS percent
        FROM leadpanther.lead_magnet_performance
        JOIN leadpanther.clients USING (client_id)
        ORDER BY conversion_rate DESC, views
        LIMIT 5""",
    "From interest to qualified: where do leads come from?": """
        SELECT source, sum(activity) AS activity, sum(leads) AS leads,
               sum(leads_with_intent) AS with_intent, sum(leads_qualified) AS qualified
        FROM leadpanther.lead_funnel
        GROUP BY source
        ORDER BY leads DESC, activity DESC""",
    "Which keywords bring people in?": """
        SELECT keyword, count(*) AS activity, count(DISTINCT person) AS people
        FROM leadpanther.activity_current
        WHERE keyword IS NOT NULL
        GROUP BY keyword
        ORDER BY activity DESC, keyword
        LIMIT 5""",
    "Who should be called first?": """
        SELECT business_name AS client, name, latest_keyword AS keyword, activity, posts
        FROM leadpanther.hot_leads
        ORDER BY activity DESC, posts DESC, happened_at DESC
        LIMIT 5""",
    "Which clients grow, and which slow down?": """
        SELECT business_name AS client, leads_previous_28_days AS before, leads_last_28_days AS now,
               leads_last_28_days - leads_previous_28_days AS growth
        FROM leadpanther.client_scorecard
        ORDER BY growth DESC, client""",
    "Do posts with more reach engage less?": """
        SELECT CASE WHEN impressions >= 20000 THEN 'wide' ELSE 'narrow' END AS reach,
               count(*) AS posts, round(100 * avg(engagement_rate), 2) AS percent_engaged
        FROM leadpanther.post_performance
        WHERE impressions > 0
        GROUP BY reach
        ORDER BY reach""",
    "Who left an e-mail address and is no lead yet?": """
        SELECT count(*) AS captures, count(*) FILTER (WHERE l.id IS NULL) AS no_lead
        FROM leadpanther.lead_magnet_captures c
        LEFT JOIN leadpanther.leads_current l
          ON l.client_id = c.client_id AND lower(l.emails__submitted) = lower(c.email)""",
    "Is everything fresh?": """
        SELECT last_status AS status, count(*) AS units, min(runs) AS fewest_runs
        FROM leadpanther.sync_health
        GROUP BY status
        ORDER BY units DESC""",
}

SHOWN_BY_DEMO = 3


def demo_world() -> World:
    """The account of the demo."""
    return World.make(clients=5, leads=800, activity=1000, posts=40, now=datetime.now(UTC))


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """What the warehouse answers, in columns of text."""
    result = connection.execute(sql)
    names = [name for name, *_ in result.description or ()]
    rows = [names, *([_shown(value) for value in row] for row in result.fetchall())]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True)).rstrip()


def _width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def worked(connection: duckdb.DuckDBPyConnection) -> str:
    """All questions with their answers, for the README."""
    parts = [
        f"**{question}**\n\n```sql\n{dedent(sql).strip()};\n```\n\n```text\n{answer(connection, sql)}\n```"
        for question, sql in QUESTIONS.items()
    ]
    return "\n\n".join(parts)


def sync_demo(folder: Path) -> Path:
    """Syncs the demo's account without a word; returns the DuckDB file."""
    world = demo_world()
    with Sandbox(world) as sandbox:
        source, config = demo_settings(sandbox, folder, publish=False)
        sync(source, config)
    return config.published_file


def demo_settings(sandbox: Sandbox, folder: Path, **more: Any) -> tuple[LeadPantherConfig, SyncConfig]:
    """How to sync a sandbox into a folder, whatever the settings of this place are."""
    config = load_sync_config(
        destination=DUCKDB,
        dataset="leadpanther",
        warehouse=str(folder / "leadhouse.duckdb"),
        folder=str(folder / ".leadhouse"),
        **more,
    )
    return load_config(api_key=sandbox.world.agency_key, base_url=sandbox.base_url), config


def main() -> None:
    """Writes the worked questions into the source's README."""
    with TemporaryDirectory() as folder:
        file = sync_demo(Path(folder))
        with duckdb.connect(str(file), read_only=True) as connection:
            FILE.write_text(replaced(FILE.read_text(), "questions", worked(connection)))


if __name__ == "__main__":
    main()
