SELECT
    account,
    coalesce(title, replace(coalesce(delivery_mode, 'lead magnet'), '_', ' ') || ' ' || left(lead_magnet_id, 8)) AS magnet,
    lead_magnet_id,
    views,
    captures,
    captures_last_28_days,
    captures_previous_28_days
FROM (
    SELECT
        client_id AS account,
        title,
        delivery_mode,
        lead_magnet_id,
        views,
        captures,
        captures_last_28_days,
        captures_previous_28_days,
        row_number() OVER (
            PARTITION BY client_id ORDER BY captures DESC, coalesce(views, 0) DESC, lead_magnet_id
        ) AS place
    FROM {lead_magnet_performance} AS magnets
) AS ranked
WHERE place <= 10
