-- Grain: client_id
-- One line a client: what there is, what the last 7 and 28 days brought against those before, how fresh that is.
-- client_id: the client account
-- business_name: the client's business
-- full_name: the account holder
-- account_status: such as `active`
-- access_lost_at: since when the client can no longer be read; null while it can
-- leads: leads that exist
-- leads_with_intent: those with intent
-- leads_qualified: those qualified
-- leads_hot: those who are both
-- activity: comments and messages that exist
-- posts: posts that exist, drafts too
-- posts_published: those published
-- lead_magnets: lead magnets that exist
-- captures: rows in lead_magnet_captures
-- leads_read_at: when leads were last read to the end; their days count back from there
-- leads_last_7_days: leads new in the 7 days up to then; null while the times of rows that may be of these days are unknown
-- leads_previous_7_days: in the 7 days before, likewise
-- leads_last_28_days: leads new in the 28 days up to then; null while the times of rows that may be of these days are unknown
-- leads_previous_28_days: in the 28 days before, likewise
-- activity_read_at: the same for activity
-- activity_last_7_days: activity new in the 7 days up to then; null while the times of rows that may be of these days are unknown
-- activity_previous_7_days: in the 7 days before, likewise
-- activity_last_28_days: activity new in the 28 days up to then; null while the times of rows that may be of these days are unknown
-- activity_previous_28_days: in the 28 days before, likewise
-- last_run_at: when the latest run that concerned the client ended
-- resources_behind: its tables that the latest run did not read to the end, though it tried
WITH health AS (
    SELECT
        *,
        read_at - INTERVAL '7 days' AS days_7,
        read_at - INTERVAL '14 days' AS days_14,
        read_at - INTERVAL '28 days' AS days_28,
        read_at - INTERVAL '56 days' AS days_56
    FROM {sync_health}
),

clients AS (
    SELECT client_id FROM {clients}
    UNION
    SELECT client_id FROM health WHERE client_id <> ''
),

leads AS (
    SELECT
        leads.client_id,
        count(*) AS total,
        count(*) FILTER (WHERE leads.has_intent) AS with_intent,
        count(*) FILTER (WHERE leads.is_qualified) AS qualified,
        count(*) FILTER (WHERE leads.has_intent AND leads.is_qualified) AS hot,
        count(*) FILTER (WHERE leads.happened_at IS NULL) AS undated,
        count(*) FILTER (WHERE leads.happened_at > health.days_7) AS last_7_days,
        count(*) FILTER (WHERE leads.happened_at > health.days_14 AND leads.happened_at <= health.days_7)
            AS previous_7_days,
        count(*) FILTER (WHERE leads.happened_at > health.days_28) AS last_28_days,
        count(*) FILTER (WHERE leads.happened_at > health.days_56 AND leads.happened_at <= health.days_28)
            AS previous_28_days
    FROM (
        SELECT
            client_id,
            has_intent,
            is_qualified,
            CASE WHEN time_source <> 'backfill' THEN happened_at END AS happened_at
        FROM {leads_current}
    ) AS leads
    LEFT JOIN health ON health.client_id = leads.client_id AND health.resource = 'leads'
    GROUP BY leads.client_id
),

activity AS (
    SELECT
        activity.client_id,
        count(*) AS total,
        count(*) FILTER (WHERE activity.happened_at IS NULL) AS undated,
        count(*) FILTER (WHERE activity.happened_at > health.days_7) AS last_7_days,
        count(*) FILTER (WHERE activity.happened_at > health.days_14 AND activity.happened_at <= health.days_7)
            AS previous_7_days,
        count(*) FILTER (WHERE activity.happened_at > health.days_28) AS last_28_days,
        count(*) FILTER (WHERE activity.happened_at > health.days_56 AND activity.happened_at <= health.days_28)
            AS previous_28_days
    FROM (
        SELECT
            client_id,
            CASE WHEN time_source <> 'backfill' THEN happened_at END AS happened_at
        FROM {activity_current}
    ) AS activity
    LEFT JOIN health ON health.client_id = activity.client_id AND health.resource = 'activity'
    GROUP BY activity.client_id
),

posts AS (
    SELECT client_id, count(*) AS total, count(*) FILTER (WHERE status = 'published') AS published
    FROM {posts_current}
    GROUP BY client_id
),

lead_magnets AS (
    SELECT client_id, count(*) AS total FROM {lead_magnets_current} GROUP BY client_id
),

captures AS (
    SELECT client_id, count(*) AS total FROM {lead_magnet_captures} GROUP BY client_id
),

runs AS (
    SELECT
        client_id,
        max(last_run_at) AS last_run_at,
        count(*) FILTER (WHERE last_status NOT IN ('ok', 'skipped')) AS behind
    FROM health
    GROUP BY client_id
)

SELECT
    clients.client_id,
    profiles.business_name,
    profiles.full_name,
    profiles.account_status,
    profiles.access_lost_at,
    coalesce(leads.total, 0) AS leads,
    coalesce(leads.with_intent, 0) AS leads_with_intent,
    coalesce(leads.qualified, 0) AS leads_qualified,
    coalesce(leads.hot, 0) AS leads_hot,
    coalesce(activity.total, 0) AS activity,
    coalesce(posts.total, 0) AS posts,
    coalesce(posts.published, 0) AS posts_published,
    coalesce(lead_magnets.total, 0) AS lead_magnets,
    coalesce(captures.total, 0) AS captures,
    leads_health.read_at AS leads_read_at,
    CASE
        WHEN leads_health.read_at IS NOT NULL
            AND (coalesce(leads.undated, 0) = 0 OR leads_health.backfilled_at <= leads_health.days_7)
            THEN coalesce(leads.last_7_days, 0)
    END AS leads_last_7_days,
    CASE
        WHEN leads_health.read_at IS NOT NULL
            AND (coalesce(leads.undated, 0) = 0 OR leads_health.backfilled_at <= leads_health.days_14)
            THEN coalesce(leads.previous_7_days, 0)
    END AS leads_previous_7_days,
    CASE
        WHEN leads_health.read_at IS NOT NULL
            AND (coalesce(leads.undated, 0) = 0 OR leads_health.backfilled_at <= leads_health.days_28)
            THEN coalesce(leads.last_28_days, 0)
    END AS leads_last_28_days,
    CASE
        WHEN leads_health.read_at IS NOT NULL
            AND (coalesce(leads.undated, 0) = 0 OR leads_health.backfilled_at <= leads_health.days_56)
            THEN coalesce(leads.previous_28_days, 0)
    END AS leads_previous_28_days,
    activity_health.read_at AS activity_read_at,
    CASE
        WHEN activity_health.read_at IS NOT NULL
            AND (coalesce(activity.undated, 0) = 0 OR activity_health.backfilled_at <= activity_health.days_7)
            THEN coalesce(activity.last_7_days, 0)
    END AS activity_last_7_days,
    CASE
        WHEN activity_health.read_at IS NOT NULL
            AND (coalesce(activity.undated, 0) = 0 OR activity_health.backfilled_at <= activity_health.days_14)
            THEN coalesce(activity.previous_7_days, 0)
    END AS activity_previous_7_days,
    CASE
        WHEN activity_health.read_at IS NOT NULL
            AND (coalesce(activity.undated, 0) = 0 OR activity_health.backfilled_at <= activity_health.days_28)
            THEN coalesce(activity.last_28_days, 0)
    END AS activity_last_28_days,
    CASE
        WHEN activity_health.read_at IS NOT NULL
            AND (coalesce(activity.undated, 0) = 0 OR activity_health.backfilled_at <= activity_health.days_56)
            THEN coalesce(activity.previous_28_days, 0)
    END AS activity_previous_28_days,
    runs.last_run_at,
    coalesce(runs.behind, 0) AS resources_behind
FROM clients
LEFT JOIN {clients} AS profiles ON profiles.client_id = clients.client_id
LEFT JOIN runs ON runs.client_id = clients.client_id
LEFT JOIN health AS leads_health
    ON leads_health.client_id = clients.client_id AND leads_health.resource = 'leads'
LEFT JOIN health AS activity_health
    ON activity_health.client_id = clients.client_id AND activity_health.resource = 'activity'
LEFT JOIN leads ON leads.client_id = clients.client_id
LEFT JOIN activity ON activity.client_id = clients.client_id
LEFT JOIN posts ON posts.client_id = clients.client_id
LEFT JOIN lead_magnets ON lead_magnets.client_id = clients.client_id
LEFT JOIN captures ON captures.client_id = clients.client_id
