"""Worked questions to the warehouse: the demo asks the first of them, and the README shows all."""

from __future__ import annotations

QUESTIONS = {
    "How many leads are there?": "SELECT count(*) AS leads FROM leadping.leads_current",
}
