-- Grain: source, account, id, kind, value
-- What tells who a lead is, as it is compared, and whether it may tie leads to one person.
-- source: the schema that the lead is in
-- account [account_id]: whose lead it is
-- id: the lead
-- kind: `email`, `phone`, `profile_url`, or `id` where a vendor shows one contact to several accounts
-- value [platform_id]: the identifier without what means nothing in it, or its hash
-- is_nobodys: whether it is masked, the address of a role or a firm's page, so that it ties nobody
WITH addresses AS MATERIALIZED (
    SELECT {key}, lower({nfc}({trimmed})) AS address
    FROM {emails} AS found
),

halves AS MATERIALIZED (
    SELECT
        {key},
        coalesce(nullif(split_part(split_part(address, '@', 1), '+', 1), ''), split_part(address, '@', 1)) AS local,
        split_part(address, '@', 2) AS domain
    FROM addresses
    WHERE address LIKE '%_@_%._%' AND address NOT LIKE '%@%@%' AND address NOT LIKE '% %'
),

mailboxes AS MATERIALIZED (
    SELECT
        {key},
        CASE WHEN domain IN ({dotless}) THEN coalesce(nullif(replace(local, '.', ''), ''), local) ELSE local END AS local,
        CASE WHEN domain IN ({dotless}) THEN {dotless_first} ELSE domain END AS domain
    FROM halves
),

links AS MATERIALIZED (
    SELECT
        {key},
        split_part(split_part({trimmed}, '?', 1), '#', 1) AS link
    FROM {profile_urls} AS found
    WHERE value LIKE '%/%'
),

decoded AS MATERIALIZED (
    SELECT
        {key},
        lower({nfc}(CASE WHEN link LIKE '%\%%' ESCAPE '\' THEN {decoded} ELSE link END)) AS link
    FROM links
),

profiles AS MATERIALIZED (
    SELECT
        {key},
        rtrim(
            regexp_replace(
                regexp_replace(link, '^(https?://)?(www[.])?([^/:]*)(:[0-9]+)?', '\3'),
                '^([a-z0-9-]+[.])+linkedin[.]com/', 'linkedin.com/'
            ),
            '/'
        ) AS profile
    FROM decoded
    WHERE link LIKE 'http://%' OR link LIKE 'https://%' OR link LIKE '%linkedin.com/%'
)

SELECT DISTINCT {key}, kind, value, is_nobodys
FROM (
    SELECT
        {key}, 'email' AS kind, local || '@' || domain AS value,
        local IN ({roles}) OR local LIKE '%**%' AS is_nobodys
    FROM mailboxes
    UNION ALL
    SELECT
        {key}, 'profile_url', profile,
        profile LIKE '%**%' OR profile LIKE '%/company/%' OR profile LIKE '%/school/%'
            OR profile LIKE '%linkedin.com/in' OR profile NOT LIKE '%/%'
    FROM profiles
    UNION ALL
    SELECT {key}, 'phone', value, value LIKE '%**%'
    FROM {phones} AS found
    WHERE value LIKE '+%'
    UNION ALL
    SELECT {key}, kind, value, value LIKE {nobodys}
    FROM {identifiers} AS found
    WHERE length(value) = 64 AND value NOT LIKE '%@%' AND value NOT LIKE '%/%'
    UNION ALL
    SELECT {key}, 'id', value, false
    FROM {contacts} AS found
) AS together
