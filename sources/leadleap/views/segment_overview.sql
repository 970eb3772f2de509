-- Grain: segment, country, industry
-- What a segment holds, by country and industry: rows, how many are unlocked, and bands of the score.
-- segment: the segment
-- country [none]: the leads' country
-- industry: their companies' industry
-- leads: leads that exist
-- leads_unlocked: those whose contact details were bought
-- percent_unlocked: their share
-- score_80_and_more: leads with a score of 80 or more
-- score_50_to_79: those from 50 to 79
-- score_below_50: those below 50
-- score_unknown: those without a score
-- read_at: when the latest of them was read that is new or changed
SELECT
    leads.segment,
    leads.country,
    leads.industry,
    count(*) AS leads,
    count(*) FILTER (WHERE leads.is_unlocked) AS leads_unlocked,
    round(100.0 * count(*) FILTER (WHERE leads.is_unlocked) / count(*), 1) AS percent_unlocked,
    count(*) FILTER (WHERE leads.ai_score >= 80) AS score_80_and_more,
    count(*) FILTER (WHERE leads.ai_score >= 50 AND leads.ai_score < 80) AS score_50_to_79,
    count(*) FILTER (WHERE leads.ai_score < 50) AS score_below_50,
    count(*) FILTER (WHERE leads.ai_score IS NULL) AS score_unknown,
    max(leads.synced_at) AS read_at
FROM {leads_current} AS leads
GROUP BY leads.segment, leads.country, leads.industry
