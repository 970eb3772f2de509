SELECT account, lead_id, name, headline, linkedin_profile_url, source, latest_keyword, happened_at, since
FROM (
    SELECT
        client_id AS account,
        lead_id,
        name,
        headline,
        CASE WHEN starts_with(linkedin_profile_url, 'https://') THEN linkedin_profile_url END AS linkedin_profile_url,
        source,
        latest_keyword,
        happened_at,
        CASE WHEN time_source <> 'backfill' THEN happened_at END AS since,
        row_number() OVER (PARTITION BY client_id ORDER BY happened_at DESC, lead_id) AS place
    FROM {hot_leads} AS leads
) AS ranked
WHERE place <= 20
