SELECT
    speed.organization_id AS account,
    speed.leads,
    speed.reached,
    speed.within_five_minutes,
    speed.within_an_hour,
    coalesce(quality.converted, 0) AS converted
FROM (
    SELECT
        organization_id,
        sum(leads) AS leads,
        sum(leads_reached_out_to) AS reached,
        sum(within_five_minutes) AS within_five_minutes,
        sum(within_an_hour) AS within_an_hour
    FROM {speed_to_lead} AS speed
    GROUP BY organization_id
) AS speed
LEFT JOIN (
    SELECT organization_id, sum(converted) AS converted
    FROM {lead_source_quality} AS quality
    GROUP BY organization_id
) AS quality ON quality.organization_id = speed.organization_id
