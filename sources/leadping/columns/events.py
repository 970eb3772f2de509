"""Texts, calls, and all events."""

from __future__ import annotations

from sources.core.tables import Table
from sources.leadping.columns.leads import ORGANIZATION_ID, TRACKED
from sources.leadping.columns.lines import LEAD, columns

_TIMES = """
queued_at timestamp : when it was queued
scheduled_for timestamp : when it is to be sent
scheduled_reason text message : why then
sending_started_at timestamp : when sending began
sent_at timestamp : when it was sent
delivered_at timestamp : when it was delivered
failed_at timestamp : when it failed
undeliverable_at timestamp : when it was found to be undeliverable
received_at timestamp : when it came in
blocked_at timestamp : when it was blocked
canceled_at timestamp : when it was called off
cancel_reason text message : why
"""

SMS_EVENTS = Table(
    "sms_events",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the text's id
        conversation_id text : its conversation
        from_phone_number_id text : the number that it came from
        outbound_phone_number_id text : the number that it was sent from
        from_phone_number text phone : who sent it
        to_phone_number text phone : who got it
        text text message : what it says
        media json message : what came with it; addresses may be signed
        status text : one of fourteen, from draft to canceled
        status_reason text message : why; may quote a number
        direction text : whether it came in or went out
        created_at timestamp : when it came about
        """),
        *columns(_TIMES),
        *columns("""
        error_code text : what went wrong, in short
        error_message text message : what went wrong; may quote a number
        is_automated bool : whether nobody wrote it
        outbound_source text : manual, automation, campaign, import, api, system_notification, warmup or retry
        traffic_type text : RealLead, Warmup, Test, SystemInternal or FailedAttempt
        billable_amount double : what it cost
        billing_status text : whether that was billed
        compliance_action text : what rules of contact did to it
        console_entries json message : how it went, step by step
        user text account_id : our user
        actor_user_id text account_id : who sent it
        actor_display_name text name : their name
        user_name text name : our user's name
        sender_name text name : as whom it was sent
        organization text account_id : the organization
        organization_name text account : its name
        """),
        *LEAD,
        *TRACKED,
    ),
    "a text message, in or out",
    personal=True,
)

CALL_EVENTS = Table(
    "call_events",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the call's id
        lead_id text : the lead
        lead_name text name! : the lead's name
        user_id text account_id : our user
        user_name text name : our user's name
        user_email text account : our user's address
        conversation_id text : its conversation
        from_phone_number_id text : the number that it came from
        from_phone_number text phone : who called
        to_phone_number text phone : who was called
        caller_id text phone : what the called one saw
        status text : one of twenty, from scheduled to configuration_required
        status_reason text message : why; may quote a number
        direction text : whether it came in or went out
        created_at timestamp : when it began
        answered_at timestamp : when it was answered
        ended_at timestamp : when it ended
        duration bigint : seconds
        billable_seconds bigint : seconds that cost
        billable_amount double : what it cost
        billing_status text : whether that was billed
        recording_url text message : where it was recorded to; may be signed
        console_entries json message : how it went, step by step
        user text account_id : our user
        organization text account_id : the organization
        organization_name text account : its name
        """),
        *TRACKED,
    ),
    "a call, in or out",
    personal=True,
)

EVENTS = Table(
    "events",
    ("organization_id", "id"),
    (
        ORGANIZATION_ID,
        *columns("""
        id text : the event's id
        event_type text : what happened
        event_category text : what kind of thing
        timeline_type text : as the timeline shows it: Sms, Call, Note, LeadCreated ...
        timeline_category text : as the timeline sorts it
        description text message : what happened, in words
        conversation_id text : its conversation
        lead_id text : the lead
        related_entity_type text : what it is about
        related_entity_id text : which one
        summary text message : what happened, in short
        media json message : what came with it; addresses may be signed
        direction text : whether it came in or went out
        status text : how far it got
        status_reason text message : why; may quote a number
        traffic_type text : RealLead, Warmup, Test, SystemInternal or FailedAttempt
        from_phone_number_id text : the number that it came from
        outbound_phone_number_id text : the number that it was sent from
        from_phone_number text phone : who called or wrote
        to_phone_number text phone : whom
        selection_reason text : why that number was chosen
        was_manually_overridden bool : whether somebody chose another one
        campaign_id text : its campaign
        source_id text : the lead's source
        compliance_action text : what rules of contact did to it
        billing_status text : whether it was billed
        billable_amount double : what it cost
        error_code text : what went wrong, in short
        retry_count bigint : how often it was tried again
        next_retry_at timestamp : when it is tried again
        """),
        *columns(_TIMES),
        *columns("""
        created_at timestamp : when it came about
        created_by text account_id : by whom
        actor_user_id text account_id : who did it
        actor_display_name text name : their name
        actor_email text account : their address
        """),
        *TRACKED,
    ),
    "something that happened, texts and calls among them",
    personal=True,
)
