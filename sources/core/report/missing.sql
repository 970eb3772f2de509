-- Tables of accounts that were not read to their end within two days, or the last time.
SELECT
    nullif(account, '') AS account,
    resource AS what,
    CASE
        WHEN last_status = 'ok' THEN 'not read for two days'
        WHEN coalesce(last_note, '') <> '' THEN last_status || ': ' || last_note
        ELSE last_status
    END AS why,
    read_at
FROM (
    SELECT
        account,
        resource,
        max(CASE WHEN status = 'ok' THEN finished END) AS read_at,
        max(CASE WHEN back = 1 THEN status END) AS last_status,
        max(CASE WHEN back = 1 THEN note END) AS last_note
    FROM (
        SELECT
            {account} AS account, resource, status, note, finished,
            row_number() OVER (PARTITION BY {account}, resource ORDER BY finished DESC, run_id DESC) AS back
        FROM {sync_log} AS log
    ) AS runs
    GROUP BY account, resource
) AS tables
WHERE last_status <> 'ok' OR read_at IS NULL OR read_at < {now} - INTERVAL '48 hours'
