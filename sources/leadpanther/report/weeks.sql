SELECT client_id AS account, week, source, sum(leads) AS leads
FROM {lead_funnel} AS funnel
WHERE week IS NULL OR week > {since}
GROUP BY client_id, week, source
HAVING sum(leads) > 0
