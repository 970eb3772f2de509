SELECT
    client_id AS account,
    business_name AS name,
    access_lost_at,
    leads,
    leads_with_intent,
    leads_hot,
    activity,
    posts_published,
    captures,
    leads_last_7_days,
    leads_previous_7_days,
    leads_last_28_days,
    leads_previous_28_days,
    CASE
        WHEN access_lost_at IS NOT NULL
            THEN 'access lost ' || CAST(CAST(access_lost_at AT TIME ZONE 'UTC' AS date) AS text)
        WHEN resources_behind > 0 THEN CAST(resources_behind AS text) || ' behind'
        ELSE 'up to date'
    END AS state
FROM {client_scorecard} AS clients
