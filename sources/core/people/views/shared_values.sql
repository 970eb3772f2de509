-- Grain: kind, value
-- Identifiers that tie nobody to anybody, with how many leads have them.
-- kind: `email`, `phone` or `profile_url`
-- value [platform_id]: the identifier, or its hash
-- leads: how many leads have it; a contact that several accounts see counts once
-- why: `nobody's` if it is masked, a role's or a firm's, or `shared` by more leads than one person has
SELECT
    kind,
    value,
    count(DISTINCT source || '/' || id) AS leads,
    CASE WHEN bool_or(is_nobodys) THEN 'nobody''s' ELSE 'shared' END AS why
FROM {lead_identifiers} AS identifiers
WHERE kind <> 'id'
GROUP BY kind, value
HAVING bool_or(is_nobodys) OR count(DISTINCT source || '/' || id) > {max_shared}
