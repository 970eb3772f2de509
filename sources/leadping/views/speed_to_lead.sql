-- Grain: organization_id, day, source
-- How soon leads are called or written to after they come, by source and the day that they came on, UTC.
-- organization_id: the organization
-- day: the day that the leads came on, UTC
-- source [account]: the source that they came from
-- leads: leads that came
-- leads_reached_out_to: those who were called or written to since
-- median_minutes: after how many minutes half of those were
-- average_minutes: after how many minutes on average
-- within_five_minutes: leads who were within five minutes
-- within_an_hour: leads who were within an hour
WITH reaching_out AS (
    SELECT organization_id, lead__id AS lead_id, coalesce(sent_at, created_at) AS at
    FROM {sms_events}
    WHERE
        deleted_at IS NULL
        AND lower(direction) LIKE 'out%'
        AND coalesce(lower(status), '') NOT IN ('draft', 'scheduled', 'queued', 'canceled', 'opted_out')
        AND coalesce(lower(status), '') NOT LIKE 'blocked%'
        AND coalesce(traffic_type, 'RealLead') = 'RealLead'
    UNION ALL
    SELECT organization_id, lead_id, created_at AS at
    FROM {call_events}
    WHERE
        deleted_at IS NULL
        AND lower(direction) LIKE 'out%'
        AND coalesce(lower(status), '') NOT IN ('scheduled', 'queued', 'canceled', 'configuration_required')
        AND coalesce(lower(status), '') NOT LIKE 'blocked%'
),

first_time AS (
    SELECT
        leads.organization_id,
        leads.id,
        leads.source__name AS source,
        CAST(leads.created_at AT TIME ZONE 'UTC' AS date) AS day,
        CAST(extract(epoch FROM min(reaching_out.at) - leads.created_at) AS double precision) / 60 AS minutes
    FROM {leads_current} AS leads
    LEFT JOIN reaching_out
        ON
            reaching_out.organization_id = leads.organization_id
            AND reaching_out.lead_id = leads.id
            AND reaching_out.at >= leads.created_at
    GROUP BY leads.organization_id, leads.id, leads.source__name, leads.created_at
)

SELECT
    organization_id,
    day,
    source,
    count(*) AS leads,
    count(minutes) AS leads_reached_out_to,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes) AS median_minutes,
    avg(minutes) AS average_minutes,
    count(*) FILTER (WHERE minutes <= 5) AS within_five_minutes,
    count(*) FILTER (WHERE minutes <= 60) AS within_an_hour
FROM first_time
GROUP BY organization_id, day, source
