-- Grain: client_id, resource
-- How each client's tables are being kept: when they were last read to the end, and what is wrong if they are not.
-- client_id: the client account; empty for what concerns the whole key
-- resource: the table
-- last_status: how the latest run ended: ok, partial, skipped, denied, gone, failed or unstable
-- last_note: why, in the words of the sync log
-- last_error_code: what went wrong then, in short
-- last_run_at: when the latest run ended
-- read_at: when it was last read to the end, so how fresh the table is
-- backfilled_at: when it was first read to the end; rows first seen until then existed before
-- runs: runs in the sync log
-- runs_since_read: runs since `read_at` that did not get to the end; all of them if none ever did
-- rows_loaded: rows that those runs loaded, edits included
-- access_lost_at: since when the client can no longer be read
WITH totals AS (
    SELECT
        client_id,
        resource,
        min(finished) FILTER (WHERE status = 'ok') AS backfilled_at,
        max(finished) FILTER (WHERE status = 'ok') AS read_at,
        count(*) AS runs,
        CAST(sum("rows") AS bigint) AS rows_loaded
    FROM {sync_log}
    GROUP BY client_id, resource
),

latest AS (
    SELECT DISTINCT ON (client_id, resource) client_id, resource, status, note, error_code, finished
    FROM {sync_log}
    ORDER BY client_id, resource, finished DESC, run_id DESC
),

unread AS (
    SELECT log.client_id, log.resource, count(*) AS runs
    FROM {sync_log} AS log
    JOIN totals ON totals.client_id = log.client_id AND totals.resource = log.resource
    WHERE totals.read_at IS NULL OR log.finished > totals.read_at
    GROUP BY log.client_id, log.resource
)

SELECT
    totals.client_id,
    totals.resource,
    latest.status AS last_status,
    latest.note AS last_note,
    latest.error_code AS last_error_code,
    latest.finished AS last_run_at,
    totals.read_at,
    totals.backfilled_at,
    totals.runs,
    coalesce(unread.runs, 0) AS runs_since_read,
    totals.rows_loaded,
    clients.access_lost_at
FROM totals
JOIN latest ON latest.client_id = totals.client_id AND latest.resource = totals.resource
LEFT JOIN unread ON unread.client_id = totals.client_id AND unread.resource = totals.resource
LEFT JOIN {clients} AS clients ON clients.client_id = totals.client_id
