SELECT
    nullif(client_id, '') AS account,
    resource,
    read_at AS oldest,
    read_at AS newest,
    CASE WHEN last_status <> 'ok' THEN 1 ELSE 0 END AS behind
FROM {sync_health} AS health
