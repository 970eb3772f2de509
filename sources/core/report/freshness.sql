-- When each table of each account was last read to its end, and whether it was the last time.
SELECT
    nullif(account, '') AS account,
    resource,
    max(CASE WHEN status = 'ok' THEN finished END) AS oldest,
    max(CASE WHEN status = 'ok' THEN finished END) AS newest,
    max(CASE WHEN back = 1 AND status <> 'ok' THEN 1 ELSE 0 END) AS behind
FROM (
    SELECT
        {account} AS account, resource, status, finished,
        row_number() OVER (PARTITION BY {account}, resource ORDER BY finished DESC, run_id DESC) AS back
    FROM {sync_log} AS log
) AS runs
GROUP BY account, resource
