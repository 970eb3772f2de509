-- Of each client the first 50: the agency's sums are exact as long as nobody has more.
SELECT account, keyword, leads, leads_hot, activity
FROM (
    SELECT
        client_id AS account,
        keyword,
        sum(leads) AS leads,
        sum(leads_hot) AS leads_hot,
        sum(activity) AS activity,
        row_number() OVER (
            PARTITION BY client_id ORDER BY sum(leads) DESC, sum(activity) DESC, keyword
        ) AS place
    FROM {lead_funnel} AS funnel
    WHERE keyword IS NOT NULL
    GROUP BY client_id, keyword
) AS ranked
WHERE place <= 50
