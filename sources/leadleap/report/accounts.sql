SELECT
    segment AS account,
    sum(leads) AS leads,
    sum(leads_unlocked) AS leads_unlocked,
    sum(score_80_and_more) AS score_80_and_more,
    sum(score_50_to_79) AS score_50_to_79,
    sum(score_below_50) AS score_below_50,
    sum(score_unknown) AS score_unknown,
    max(read_at) AS read_at
FROM {segment_overview} AS overview
GROUP BY segment
