SELECT
    organization_id AS account,
    CAST(date_trunc('week', day) AS date) AS week,
    sum(within_five_minutes) AS at_once,
    sum(within_an_hour - within_five_minutes) AS soon,
    sum(leads_reached_out_to - within_an_hour) AS later,
    sum(leads - leads_reached_out_to) AS not_yet
FROM {speed_to_lead} AS speed
WHERE day IS NULL OR CAST(date_trunc('week', day) AS date) > {since}
GROUP BY organization_id, CAST(date_trunc('week', day) AS date)
