-- Grain: client_id, lead_id
-- Whom to call: qualified leads with intent, newest first, with what they did.
-- client_id: the client account
-- business_name: the client's business
-- lead_id: the lead
-- happened_at: when it became a lead, as far as is known
-- time_source: where that time is from, see leads_current
-- name: the lead's name
-- headline: LinkedIn headline
-- linkedin_profile_url: LinkedIn profile
-- emails__submitted: e-mail given in a form
-- emails__work: work e-mail
-- emails__personal: personal e-mail
-- source: where the lead came from
-- latest_keyword: the last keyword that matched
-- activity: comments and messages that it wrote; null where profiles are masked or dropped, as for all below
-- posts: posts that it wrote on
-- last_activity_at: when it last wrote
-- last_activity_source: such as `comment`
-- content: what it last wrote
WITH hot AS (
    SELECT * FROM {leads_current} WHERE has_intent AND is_qualified
),

wrote AS (
    SELECT
        hot.client_id,
        hot.id AS lead_id,
        activity.id AS activity_id,
        activity.metadata__post_id AS post_id,
        coalesce(activity.reported_at, activity.first_seen_at) AS happened_at,
        activity.source,
        activity.content
    FROM hot
    JOIN {activity} AS activity ON activity.client_id = hot.client_id AND activity.person = hot.person
    WHERE activity.deleted_at IS NULL
),

counted AS (
    SELECT client_id, lead_id, count(*) AS activity, count(DISTINCT post_id) AS posts
    FROM wrote
    GROUP BY client_id, lead_id
),

latest AS (
    SELECT DISTINCT ON (client_id, lead_id) client_id, lead_id, happened_at, source, content
    FROM wrote
    ORDER BY client_id, lead_id, happened_at DESC, activity_id
)

SELECT
    hot.client_id,
    clients.business_name,
    hot.id AS lead_id,
    hot.happened_at,
    hot.time_source,
    hot.name,
    hot.headline,
    hot.linkedin_profile_url,
    hot.emails__submitted,
    hot.emails__work,
    hot.emails__personal,
    hot.source,
    hot.latest_keyword,
    CASE WHEN {people_known} THEN coalesce(counted.activity, 0) END AS activity,
    CASE WHEN {people_known} THEN coalesce(counted.posts, 0) END AS posts,
    latest.happened_at AS last_activity_at,
    latest.source AS last_activity_source,
    latest.content
FROM hot
LEFT JOIN {clients} AS clients ON clients.client_id = hot.client_id
LEFT JOIN counted ON counted.client_id = hot.client_id AND counted.lead_id = hot.id
LEFT JOIN latest ON latest.client_id = hot.client_id AND latest.lead_id = hot.id
ORDER BY hot.happened_at DESC, hot.client_id, hot.id
