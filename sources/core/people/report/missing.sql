SELECT
    CAST(NULL AS text) AS account,
    source,
    resource,
    count(*) AS accounts,
    min(last_status) AS status,
    min(coalesce(last_note, '')) AS note,
    min(read_at) AS read_at
FROM {sync_health} AS health
WHERE last_status <> 'ok' OR read_at IS NULL OR read_at < {now} - INTERVAL '48 hours'
GROUP BY source, resource, last_status
