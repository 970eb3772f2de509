-- Grain: client_id, week, source, keyword
-- From activity to qualified leads, by week and by what drew them; every row of both tables counts once.
-- client_id: the client account
-- week: the week's Monday, UTC; null for rows of the first complete read whose time the API does not tell
-- source: such as `comment`
-- keyword: the keyword that matched; of leads the latest one
-- activity: comments and messages
-- leads: people who became leads
-- leads_with_intent: those of them who have intent
-- leads_qualified: those leads who are qualified
-- leads_hot: those who are both
WITH steps AS (
    SELECT
        client_id,
        CASE WHEN time_source <> 'backfill' THEN date_trunc('week', happened_at AT TIME ZONE 'UTC') END AS week,
        source,
        keyword,
        count(*) AS activity,
        0 AS leads,
        0 AS leads_with_intent,
        0 AS leads_qualified,
        0 AS leads_hot
    FROM {activity_current}
    GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT
        client_id,
        CASE WHEN time_source <> 'backfill' THEN date_trunc('week', happened_at AT TIME ZONE 'UTC') END AS week,
        source,
        latest_keyword AS keyword,
        0 AS activity,
        count(*) AS leads,
        count(*) FILTER (WHERE has_intent) AS leads_with_intent,
        count(*) FILTER (WHERE is_qualified) AS leads_qualified,
        count(*) FILTER (WHERE has_intent AND is_qualified) AS leads_hot
    FROM {leads_current}
    GROUP BY 1, 2, 3, 4
)

SELECT
    client_id,
    CAST(week AS date) AS week,
    source,
    keyword,
    CAST(sum(activity) AS bigint) AS activity,
    CAST(sum(leads) AS bigint) AS leads,
    CAST(sum(leads_with_intent) AS bigint) AS leads_with_intent,
    CAST(sum(leads_qualified) AS bigint) AS leads_qualified,
    CAST(sum(leads_hot) AS bigint) AS leads_hot
FROM steps
GROUP BY 1, 2, 3, 4
