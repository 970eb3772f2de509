-- Grain: source, account, resource
-- How all tables of all vendors are being kept: when they were last read to the end, and what is wrong if not.
-- source: the schema
-- account [account_id]: whose rows; empty for what concerns the whole key
-- resource: the table
-- last_status: how the latest run ended: ok, partial, skipped, denied, gone, failed or unstable
-- last_note: why, in the words of the sync log
-- last_error_code: what went wrong then, in short
-- last_run_at: when the latest run ended
-- read_at: when it was last read to the end, so how fresh the table is
-- backfilled_at: when it was first read to the end; rows first seen until then existed before
-- runs: runs in the sync log
-- rows_loaded: rows that those runs loaded, edits included
WITH totals AS (
    SELECT
        source,
        account,
        resource,
        min(finished) FILTER (WHERE status = 'ok') AS backfilled_at,
        max(finished) FILTER (WHERE status = 'ok') AS read_at,
        count(*) AS runs,
        CAST(sum("rows") AS bigint) AS rows_loaded
    FROM {sync_log} AS log
    GROUP BY source, account, resource
),

latest AS (
    SELECT DISTINCT ON (source, account, resource) source, account, resource, status, note, error_code, finished
    FROM {sync_log} AS log
    ORDER BY source, account, resource, finished DESC, run_id DESC
)

SELECT
    totals.source,
    totals.account,
    totals.resource,
    latest.status AS last_status,
    latest.note AS last_note,
    latest.error_code AS last_error_code,
    latest.finished AS last_run_at,
    totals.read_at,
    totals.backfilled_at,
    totals.runs,
    totals.rows_loaded
FROM totals
JOIN latest ON latest.source = totals.source AND latest.account = totals.account AND latest.resource = totals.resource
