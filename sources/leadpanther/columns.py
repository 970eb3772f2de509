"""Every documented column: the one registry of names, types, personal data and where that is said.

Hints, treatments, the table `pii_columns` and the docs are made from this file; a column that is not here
reaches the warehouse tagged `unreviewed`. Documents are the pages of docs.leadpanther.ai: overview, errors,
auth, agency-mode, quickstart. Bodies of engagement and analytics, and the names of most timestamps, are
documented nowhere: those columns appear as data brings them.
"""

from __future__ import annotations

from sources.core.tables import (
    DELETED,
    DIGEST,
    FETCHED_AT,
    FIRST_SEEN,
    MISFIT,
    SNAPSHOT_DATE,
    SYNCED,
    Category,
    Column,
    LeadColumns,
    Table,
    account_column,
    by_name,
)

CLIENT_ID = account_column("client_id", "client account: `user_id` of `GET /clients`")

_OURS = (SYNCED, MISFIT)
_TRACKED = (FIRST_SEEN, DELETED, SYNCED, MISFIT)
_SNAPSHOT = (SNAPSHOT_DATE, FETCHED_AT)
_ROW_ID = Column("id", "text", "the row's id", "errors")

API_SUBJECT = Table(
    "api_subject",
    ("user_id",),
    (
        Column("user_id", "text", "the account the key acts for", pii=Category.ACCOUNT_ID, ours=True),
        Column("actor_type", "text", "`direct_user` or `agency`", "auth"),
        Column("scopes", "json", "what the key may do; `*` is everything", "auth"),
        Column("owner__user_id", "text", "the key's owner", "auth", Category.ACCOUNT_ID),
        Column("owner__full_name", "text", "the owner's name", "auth", Category.NAME, identifies=True),
        Column("owner__business_name", "text", "the owner's business", "auth", Category.ACCOUNT),
        Column("owner__account_status", "text", "such as `active`", "auth"),
        Column("subject__user_id", "text", "the account the key acts for", "auth", Category.ACCOUNT_ID),
        *_OURS,
    ),
    "the API key's owner and rights, as `GET /me` tells them",
)

CLIENTS = Table(
    "clients",
    ("client_id",),
    (
        CLIENT_ID,
        Column("user_id", "text", "the same id under the vendor's name", "agency-mode", Category.ACCOUNT_ID),
        Column("full_name", "text", "the account holder", "agency-mode", Category.NAME, identifies=True),
        Column("business_name", "text", "the client's business", "agency-mode", Category.ACCOUNT),
        Column("account_status", "text", "such as `active`", "agency-mode"),
        Column("grant__id", "text", "the agency's grant for this client", "agency-mode"),
        Column("grant__label", "text", "what the agency calls the grant", "agency-mode", Category.ACCOUNT),
        Column("grant__status", "text", "`active`, or access is gone", "agency-mode"),
        Column("grant__permissions", "json", "what the grant allows", "agency-mode"),
        Column("grant__created_at", "timestamp", "when access was granted", "agency-mode"),
        Column("grant__updated_at", "timestamp", "when the grant changed", "agency-mode"),
        Column("access_lost_at", "timestamp", "since when the client can no longer be read", ours=True),
        *_OURS,
    ),
    "a client account that the key may read, or once could",
)

LEADS = Table(
    "leads",
    ("client_id", "id"),
    (
        CLIENT_ID,
        _ROW_ID,
        Column(
            "linkedin_profile_url",
            "text",
            "LinkedIn profile",
            "errors",
            Category.PROFILE_URL,
            identifies=True,
        ),
        Column("name", "text", "the lead's name", "errors", Category.NAME, identifies=True),
        Column("headline", "text", "LinkedIn headline", "errors", Category.HEADLINE, prose=True),
        Column(
            "emails__submitted", "text", "e-mail given in a form", "errors", Category.EMAIL, identifies=True
        ),
        Column("emails__work", "text", "work e-mail", "errors", Category.EMAIL, identifies=True),
        Column("emails__personal", "text", "personal e-mail", "errors", Category.EMAIL, identifies=True),
        Column(
            "submitted_form_name", "text", "the form's name field", "errors", Category.NAME, True, prose=True
        ),
        Column("latest_keyword", "text", "the last keyword that matched", "errors"),
        Column("has_intent", "bool", "whether intent signals were found", "errors"),
        Column("qualification_status", "text", "such as `qualified`", "errors"),
        Column("source", "text", "where the lead came from", "errors", prose=True),
        *_TRACKED,
    ),
    "a person who became a lead of a client",
    personal=True,
)

LEAD_COLUMNS = LeadColumns(
    name=("name",),
    email=("emails__submitted", "emails__work", "emails__personal"),
    profile_url=("linkedin_profile_url",),
    status=("qualification_status",),
    created_at=("created_at", "captured_at", "submitted_at"),
)

ACTIVITY = Table(
    "activity",
    ("client_id", "id"),
    (
        CLIENT_ID,
        _ROW_ID,
        Column("source", "text", "such as `comment`", "errors"),
        Column("author_name", "text", "who wrote it", "errors", Category.NAME, identifies=True),
        Column(
            "linkedin_profile_url",
            "text",
            "the author's LinkedIn profile",
            "errors",
            Category.PROFILE_URL,
            identifies=True,
            prose=True,
        ),
        Column("content", "text", "the message or comment", "errors", Category.MESSAGE),
        Column("keyword", "text", "the keyword that matched", "errors"),
        Column("status", "text", "such as `matched`; depends on the source", "errors"),
        Column("metadata__post_id", "text", "the post it belongs to", "errors"),
        Column("metadata__comment_id", "text", "LinkedIn's comment id", "errors", Category.PLATFORM_ID),
        Column("metadata__message_id", "text", "message id", "errors", Category.PLATFORM_ID, prose=True),
        Column("metadata__chat_id", "text", "chat id", "errors", Category.PLATFORM_ID, prose=True),
        *_TRACKED,
    ),
    "a comment or message that came in for a client",
    personal=True,
)

POSTS = Table(
    "posts",
    ("client_id", "id"),
    (
        CLIENT_ID,
        _ROW_ID,
        Column("text", "text", "the post", "quickstart"),
        Column("status", "text", "`draft`, `scheduled`, `publishing` or `published`", "quickstart"),
        Column("scheduled_at", "timestamp", "when it is to be published", "quickstart"),
        Column("metrics", "json", "counters, in the API's own shape", "quickstart"),
        Column("theme", "json", "the theme, in the API's own shape", "quickstart", Category.UNREVIEWED),
        Column("followups", "json", "follow-ups, in the API's own shape", "quickstart", Category.MESSAGE),
        Column("theme_id", "text", "the theme's id", "errors"),
        Column("template_id", "text", "the template's id", "errors"),
        Column("notes", "text", "the client's own notes", "errors", Category.MESSAGE),
        Column("document_url", "text", "the attached document", "errors"),
        Column("images", "json", "attached images", "errors", Category.UNREVIEWED),
        DIGEST,
        *_TRACKED,
    ),
    "a LinkedIn post of a client",
)

LEAD_MAGNETS = Table(
    "lead_magnets",
    ("client_id", "id"),
    (
        CLIENT_ID,
        _ROW_ID,
        Column("delivery_mode", "text", "`hosted_content`, `gated_external` or `external_link`", "errors"),
        Column(
            "hosted_page", "json", "the hosted page, in the API's own shape", "errors", Category.UNREVIEWED
        ),
        Column("resource_link", "text", "the external resource", "errors"),
        Column("cta_label", "text", "the button's label", "errors"),
        Column("cta_url", "text", "where the button leads", "errors"),
        DIGEST,
        *_TRACKED,
    ),
    "something that a client gives away for contact details",
)

POST_ENGAGEMENT = Table(
    "post_engagement",
    ("client_id", "post_id", "snapshot_date"),
    (CLIENT_ID, Column("post_id", "text", "the post", ours=True), *_SNAPSHOT, *_OURS),
    "a post's engagement on one day",
)

LEAD_MAGNET_ANALYTICS = Table(
    "lead_magnet_analytics",
    ("client_id", "lead_magnet_id", "snapshot_date"),
    (CLIENT_ID, Column("lead_magnet_id", "text", "the lead magnet", ours=True), *_SNAPSHOT, *_OURS),
    "a lead magnet's numbers on one day, without its captures",
)

LEAD_MAGNET_CAPTURES = Table(
    "lead_magnet_captures",
    ("client_id", "lead_magnet_id", "id"),
    (
        CLIENT_ID,
        Column("lead_magnet_id", "text", "the lead magnet", ours=True),
        Column("id", "text", "the capture's id, or a digest of its content where it has none", "overview"),
        FIRST_SEEN,
        *_OURS,
    ),
    "somebody who left contact details for a lead magnet",
    personal=True,
)

TABLES = by_name(
    API_SUBJECT,
    CLIENTS,
    LEADS,
    ACTIVITY,
    POSTS,
    POST_ENGAGEMENT,
    LEAD_MAGNETS,
    LEAD_MAGNET_ANALYTICS,
    LEAD_MAGNET_CAPTURES,
)
