SELECT
    client_id AS account,
    'everything' AS what,
    'access lost since ' || CAST(CAST(access_lost_at AT TIME ZONE 'UTC' AS date) AS text) AS why,
    last_run_at AS read_at
FROM {client_scorecard} AS clients
WHERE access_lost_at IS NOT NULL
UNION ALL
SELECT
    nullif(client_id, '') AS account,
    resource AS what,
    CASE
        WHEN last_status = 'ok' THEN 'not read for two days'
        WHEN coalesce(last_note, '') <> '' THEN last_status || ': ' || last_note
        ELSE last_status
    END AS why,
    read_at
FROM {sync_health} AS health
WHERE
    access_lost_at IS NULL
    AND (last_status <> 'ok' OR read_at IS NULL OR read_at < {now} - INTERVAL '48 hours')
