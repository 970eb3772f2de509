SELECT
    CAST(NULL AS text) AS account,
    source,
    min(read_at) AS oldest,
    max(read_at) AS newest,
    count(*) AS tables,
    count(*) FILTER (WHERE last_status <> 'ok') AS behind
FROM {sync_health} AS health
GROUP BY source
