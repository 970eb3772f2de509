SELECT CAST(NULL AS text) AS account, sources, count(*) AS people, sum(leads) AS leads
FROM {people} AS people
WHERE source_count > 1
GROUP BY sources
