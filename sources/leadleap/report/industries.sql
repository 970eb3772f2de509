SELECT
    segment AS account,
    coalesce(industry, 'unknown') AS industry,
    sum(leads) AS leads,
    sum(leads_unlocked) AS leads_unlocked,
    sum(score_80_and_more) AS score_80_and_more
FROM {segment_overview} AS overview
GROUP BY segment, industry
