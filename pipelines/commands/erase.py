"""`leadhouse erase`: a person, or an account, leaves the warehouse for good."""

from __future__ import annotations

from pipelines.settings import load_sync_config
from pipelines.storage import storage_for
from pipelines.syncing.erasing import Person, erase_account, erase_person
from sources.core.errors import ConfigurationError
from sources.core.privacy.configuration import load_policy
from sources.core.vendor import Vendor


def run_erase(
    vendor: Vendor,
    email: str | None,
    profile_url: str | None,
    lead_id: str | None,
    client: str | None,
    dry_run: bool,
    destination: str | None,
    dataset: str | None,
) -> None:
    """Erases as the command line says and prints how many rows that concerned.

    Raises:
        LeadhouseError: nothing was erased.
    """
    person = Person(email, profile_url, lead_id)
    if client and person.values():
        raise ConfigurationError("erase either a client or a person, not both at once")
    storage, policy = storage_for(load_sync_config(destination=destination, dataset=dataset)), load_policy()
    if notice := person.cannot_be_found(policy):
        print(notice)
    if client:
        counts = erase_account(storage, vendor, policy, client, dry_run)
    else:
        counts = erase_person(storage, vendor, policy, person, dry_run)
    verb = "would be erased" if dry_run else "erased"
    for name, count in counts.items():
        print(f"{name}: {count} rows {verb}")
    if not counts:
        print("nothing was found" + ("" if dry_run else "; what was given is kept out from now on"))
