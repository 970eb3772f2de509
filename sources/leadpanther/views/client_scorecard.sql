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

happened AS (
    SELECT
        client_id,
        'leads' AS resource,
        has_intent,
        is_qualified,
        CASE WHEN time_source <> 'backfill' THEN happened_at END AS happened_at
    FROM {leads_current}
    UNION ALL
    SELECT
        client_id,
        'activity' AS resource,
        FALSE AS has_intent,
        FALSE AS is_qualified,
        CASE WHEN time_source <> 'backfill' THEN happened_at END AS happened_at
    FROM {activity_current}
),

counted AS (
    SELECT
        happened.client_id,
        happened.resource,
        count(*) AS total,
        count(*) FILTER (WHERE happened.has_intent) AS with_intent,
        count(*) FILTER (WHERE happened.is_qualified) AS qualified,
        count(*) FILTER (WHERE happened.has_intent AND happened.is_qualified) AS hot,
        count(*) FILTER (WHERE happened.happened_at IS NULL) AS undated,
        count(*) FILTER (WHERE happened.happened_at > health.days_7) AS last_7_days,
        count(*) FILTER (WHERE happened.happened_at > health.days_14 AND happened.happened_at <= health.days_7)
            AS previous_7_days,
        count(*) FILTER (WHERE happened.happened_at > health.days_28) AS last_28_days,
        count(*) FILTER (WHERE happened.happened_at > health.days_56 AND happened.happened_at <= health.days_28)
            AS previous_28_days
    FROM happened
    LEFT JOIN health ON health.client_id = happened.client_id AND health.resource = happened.resource
    GROUP BY happened.client_id, happened.resource
),

recent AS (
    SELECT
        clients.client_id,
        kinds.resource,
        health.read_at,
        coalesce(counted.total, 0) AS total,
        coalesce(counted.with_intent, 0) AS with_intent,
        coalesce(counted.qualified, 0) AS qualified,
        coalesce(counted.hot, 0) AS hot,
        CASE
            WHEN health.read_at IS NOT NULL
                AND (coalesce(counted.undated, 0) = 0 OR health.backfilled_at <= health.days_7)
                THEN coalesce(counted.last_7_days, 0)
        END AS last_7_days,
        CASE
            WHEN health.read_at IS NOT NULL
                AND (coalesce(counted.undated, 0) = 0 OR health.backfilled_at <= health.days_14)
                THEN coalesce(counted.previous_7_days, 0)
        END AS previous_7_days,
        CASE
            WHEN health.read_at IS NOT NULL
                AND (coalesce(counted.undated, 0) = 0 OR health.backfilled_at <= health.days_28)
                THEN coalesce(counted.last_28_days, 0)
        END AS last_28_days,
        CASE
            WHEN health.read_at IS NOT NULL
                AND (coalesce(counted.undated, 0) = 0 OR health.backfilled_at <= health.days_56)
                THEN coalesce(counted.previous_28_days, 0)
        END AS previous_28_days
    FROM clients
    CROSS JOIN (SELECT 'leads' AS resource UNION ALL SELECT 'activity' AS resource) AS kinds
    LEFT JOIN health ON health.client_id = clients.client_id AND health.resource = kinds.resource
    LEFT JOIN counted ON counted.client_id = clients.client_id AND counted.resource = kinds.resource
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
    leads.total AS leads,
    leads.with_intent AS leads_with_intent,
    leads.qualified AS leads_qualified,
    leads.hot AS leads_hot,
    activity.total AS activity,
    coalesce(posts.total, 0) AS posts,
    coalesce(posts.published, 0) AS posts_published,
    coalesce(lead_magnets.total, 0) AS lead_magnets,
    coalesce(captures.total, 0) AS captures,
    leads.read_at AS leads_read_at,
    leads.last_7_days AS leads_last_7_days,
    leads.previous_7_days AS leads_previous_7_days,
    leads.last_28_days AS leads_last_28_days,
    leads.previous_28_days AS leads_previous_28_days,
    activity.read_at AS activity_read_at,
    activity.last_7_days AS activity_last_7_days,
    activity.previous_7_days AS activity_previous_7_days,
    activity.last_28_days AS activity_last_28_days,
    activity.previous_28_days AS activity_previous_28_days,
    runs.last_run_at,
    coalesce(runs.behind, 0) AS resources_behind
FROM clients
JOIN recent AS leads ON leads.client_id = clients.client_id AND leads.resource = 'leads'
JOIN recent AS activity ON activity.client_id = clients.client_id AND activity.resource = 'activity'
LEFT JOIN {clients} AS profiles ON profiles.client_id = clients.client_id
LEFT JOIN runs ON runs.client_id = clients.client_id
LEFT JOIN posts ON posts.client_id = clients.client_id
LEFT JOIN lead_magnets ON lead_magnets.client_id = clients.client_id
LEFT JOIN captures ON captures.client_id = clients.client_id
