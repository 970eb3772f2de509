SELECT CAST(NULL AS text) AS account, vendors, count(*) AS people, sum(leads) AS leads
FROM {people} AS people
WHERE vendor_count > 1
GROUP BY vendors
