-- Grain: client_id, lead_magnet_id
-- What each lead magnet captured of those who saw it, and how the last 28 days compare with the 28 before.
-- client_id: the client account
-- lead_magnet_id: the lead magnet
-- title: its title, if the API tells
-- status: such as `active`, if the API tells
-- delivery_mode: how it is delivered
-- happened_at: when it was made, as far as is known
-- time_source: where that time is from, see lead_magnets_current
-- measured_on: day of the latest numbers; null if they were never read
-- views [none]: how often it was seen
-- captures [none]: contacts left, by the API's count; where it tells none, the rows in lead_magnet_captures
-- known_captures: rows in lead_magnet_captures
-- conversion_rate [none]: captures by views
-- views_last_28_days: views gained in the 28 days up to `measured_on`; null without a reading that old
-- captures_read_at: when its client's captures were last read; the days of captures count back from there
-- captures_last_28_days: known captures of the last 28 days; null while times of others are unknown
-- captures_previous_28_days: known captures of the 28 days before, likewise
WITH readings AS (
    SELECT
        client_id,
        lead_magnet_id,
        snapshot_date,
        views,
        captures,
        max(snapshot_date) OVER magnet AS measured_on,
        max(views) OVER magnet AS most_views,
        max(captures) OVER magnet AS most_captures
    FROM {lead_magnet_analytics}
    WINDOW magnet AS (PARTITION BY client_id, lead_magnet_id)
),

-- A counter that the latest answer lacks is at least what it once was.
latest AS (
    SELECT
        client_id,
        lead_magnet_id,
        measured_on,
        coalesce(views, most_views) AS views,
        coalesce(captures, most_captures) AS captures
    FROM readings
    WHERE snapshot_date = measured_on
),

-- The last reading at least 28 days before the latest one.
earlier AS (
    SELECT DISTINCT ON (client_id, lead_magnet_id) client_id, lead_magnet_id, views
    FROM readings
    WHERE snapshot_date <= measured_on - 28 AND views IS NOT NULL
    ORDER BY client_id, lead_magnet_id, snapshot_date DESC
),

reads AS (
    SELECT
        client_id,
        min(finished) AS backfilled_at,
        max(finished) AS read_at
    FROM {sync_log}
    WHERE resource = 'lead_magnet_captures' AND status = 'ok'
    GROUP BY client_id
),

captures AS (
    SELECT
        captures.client_id,
        captures.lead_magnet_id,
        CASE
            WHEN captures.reported_at IS NOT NULL THEN captures.reported_at
            WHEN captures.first_seen_at > reads.backfilled_at THEN captures.first_seen_at
        END AS happened_at
    FROM {lead_magnet_captures} AS captures
    LEFT JOIN reads ON reads.client_id = captures.client_id
),

counted AS (
    SELECT
        captures.client_id,
        captures.lead_magnet_id,
        count(*) AS known_captures,
        count(*) FILTER (WHERE captures.happened_at IS NULL) AS undated,
        count(*) FILTER (WHERE captures.happened_at > reads.read_at - INTERVAL '28 days') AS last_28_days,
        count(*) FILTER (
            WHERE captures.happened_at > reads.read_at - INTERVAL '56 days'
            AND captures.happened_at <= reads.read_at - INTERVAL '28 days'
        ) AS previous_28_days
    FROM captures
    LEFT JOIN reads ON reads.client_id = captures.client_id
    GROUP BY captures.client_id, captures.lead_magnet_id
)

SELECT
    magnets.client_id,
    magnets.id AS lead_magnet_id,
    magnets.title,
    magnets.status,
    magnets.delivery_mode,
    magnets.happened_at,
    magnets.time_source,
    latest.measured_on,
    latest.views,
    coalesce(latest.captures, counted.known_captures, 0) AS captures,
    coalesce(counted.known_captures, 0) AS known_captures,
    CAST(coalesce(latest.captures, counted.known_captures, 0) AS double precision) / nullif(latest.views, 0)
        AS conversion_rate,
    latest.views - earlier.views AS views_last_28_days,
    reads.read_at AS captures_read_at,
    CASE
        WHEN coalesce(counted.undated, 0) = 0 OR reads.backfilled_at <= reads.read_at - INTERVAL '28 days'
            THEN coalesce(counted.last_28_days, 0)
    END AS captures_last_28_days,
    CASE
        WHEN coalesce(counted.undated, 0) = 0 OR reads.backfilled_at <= reads.read_at - INTERVAL '56 days'
            THEN coalesce(counted.previous_28_days, 0)
    END AS captures_previous_28_days
FROM {lead_magnets_current} AS magnets
LEFT JOIN latest ON latest.client_id = magnets.client_id AND latest.lead_magnet_id = magnets.id
LEFT JOIN earlier ON earlier.client_id = magnets.client_id AND earlier.lead_magnet_id = magnets.id
LEFT JOIN counted ON counted.client_id = magnets.client_id AND counted.lead_magnet_id = magnets.id
LEFT JOIN reads ON reads.client_id = magnets.client_id
