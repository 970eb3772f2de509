SELECT
    organization_id AS account,
    sum(leads) AS leads,
    sum(leads_reached_out_to) AS reached,
    sum(within_an_hour) AS within_an_hour,
    sum(within_five_minutes) AS within_five_minutes
FROM {speed_to_lead} AS speed
WHERE day > CAST({now} AS date) - 90
GROUP BY organization_id
