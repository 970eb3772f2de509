"""One account of the simulated service: its profile, its grant to the agency and its lists."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

from sources.core.simulator.dice import Dice
from sources.core.simulator.rows import Rows

from . import making
from .making import DAY, Maker, Row

Order = Literal["newest_first", "oldest_first", "shuffled"]
Archived = Literal["listed", "hidden"]
CapturesShape = Literal["plain", "nested", "without_ids"]

LISTS = ("leads", "activity", "posts", "lead_magnets")
RESOURCES = (*LISTS, "captures")
_SPAN = {"leads": 700 * DAY, "activity": 700 * DAY, "posts": 400 * DAY, "lead_magnets": 500 * DAY}


@dataclass(frozen=True)
class Options:
    """How big and of what kind a world is; `World.make` says what each means."""

    leads: int = 250
    activity: int = 300
    posts: int = 40
    lead_magnets: int = 6
    captures: int = 30
    exact: bool = False
    timestamps: bool = True
    order: Order = "newest_first"
    archived: Archived = "listed"
    captures_shape: CapturesShape = "plain"


@dataclass
class Account:
    """An account and everything the API says about it.

    `grant` is its grant to the agency, None without one. `hidden` accounts answer 404 to the agency.
    `bodies` are the engagement and analytics bodies that were set by hand, by post or lead magnet id.
    """

    profile: Row
    grant: Row | None = None
    hidden: bool = False
    lists: dict[str, Rows] = field(default_factory=lambda: {name: Rows() for name in LISTS})
    captures: dict[str, Rows] = field(default_factory=dict)
    bodies: dict[str, Any] = field(default_factory=dict)

    @property
    def user_id(self) -> str:
        return str(self.profile["user_id"])

    @property
    def granted(self) -> bool:
        """Whether the agency may read its lists."""
        return self.grant is not None and self.grant["status"] == "active"

    def row(self) -> Row:
        """The account as the agency sees it in /clients."""
        return deepcopy({**self.profile, "grant": self.grant})

    def rows(self, resource: str, lead_magnet_id: str | None = None) -> Rows:
        """The rows of a resource; captures are named by `lead_magnet_id` or as "captures/<lead magnet id>".

        Raises:
            KeyError: there is no such resource or lead magnet.
        """
        name, _, inside = resource.partition("/")
        return self.captures[lead_magnet_id or inside] if name == "captures" else self.lists[name]

    def engagement(self, post_id: str) -> Any:
        """The data of a post's engagement route. Raises KeyError for an unknown post."""
        post = self.lists["posts"].get(post_id)
        return deepcopy(self.bodies[post_id]) if post_id in self.bodies else making.engagement(post_id, post)

    def analytics(self, lead_magnet_id: str) -> Any:
        """The data of a lead magnet's analytics route, without its captures. KeyError for an unknown one."""
        captures = self.captures[lead_magnet_id]
        if lead_magnet_id in self.bodies:
            return deepcopy(self.bodies[lead_magnet_id])
        return making.analytics(lead_magnet_id, len(captures))

    def truth(self) -> Row:
        """All that the API would answer about the account, by resource."""
        return {
            **{name: rows.values() for name, rows in self.lists.items()},
            "engagement": {id: self.engagement(id) for id in self.lists["posts"].handles},
            "analytics": {id: self.analytics(id) for id in self.captures},
            "captures": {id: rows.values() for id, rows in self.captures.items()},
        }


class Builder:
    """Fills an account with rows, every choice taken from its dice."""

    def __init__(self, dice: Dice, options: Options, now: float) -> None:
        self._dice = dice
        self._options = options
        self._now = now
        self._maker = Maker(
            dice, now=now, timestamps=options.timestamps, capture_ids=options.captures_shape != "without_ids"
        )

    def account(self, *, grant: str | None) -> Account:
        """A full account, with an active grant of that label unless it is None."""
        make, options = self._maker, self._options
        account = Account(make.profile(), make.grant(grant) if grant else None)
        account.lists["posts"] = self._rows("posts", options.posts, make.post)
        account.lists["leads"] = self._rows("leads", options.leads, make.lead)
        account.lists["activity"] = self._rows(
            "activity", options.activity, lambda moment: self._activity(account, moment)
        )
        account.lists["lead_magnets"] = magnets = self._rows(
            "lead_magnets", options.lead_magnets, make.lead_magnet
        )
        for magnet in magnets.values():
            if options.archived == "hidden" and magnet["status"] == "archived":
                magnets.delete(magnet["id"])
            else:
                account.captures[magnet["id"]] = self._captures(account.lists["leads"])
        return account

    def row(self, account: Account, resource: str) -> Row:
        """One more row of a resource, made this moment."""
        make = self._maker
        match resource.partition("/")[0]:
            case "leads":
                return make.lead(self._now)
            case "activity":
                return self._activity(account, self._now)
            case "posts":
                return make.post(self._now)
            case "lead_magnets":
                return make.lead_magnet(self._now)
            case "captures":
                return self._capture(account.lists["leads"], self._now)
        raise KeyError(resource)

    def _activity(self, account: Account, moment: float) -> Row:
        """By a lead or, as often, by somebody who is none."""
        lead = self._some(account.lists["leads"]) if self._dice.chance(0.5) else None
        whose = lead if lead and lead.get("name") and lead.get("linkedin_profile_url") else None
        return self._maker.activity(moment, account.lists["posts"].handles, whose)

    def _captures(self, leads: Rows) -> Rows:
        return self._rows("lead_magnets", self._options.captures, lambda moment: self._capture(leads, moment))

    def _capture(self, leads: Rows, moment: float) -> Row:
        return self._maker.capture(moment, self._some(leads))

    def _some(self, leads: Rows) -> Row | None:
        """Any of the leads, but for those that a test has spoilt."""
        lead = leads.at(self._dice.randrange(len(leads))) if len(leads) else None
        return lead if isinstance(lead, dict) and "id" in lead else None

    def _rows(self, resource: str, size: int, make: Callable[[float], Row]) -> Rows:
        dice = self._dice
        if not self._options.exact:
            size = round(size * dice.uniform(0.7, 1.3))
        step = _SPAN[resource] / max(size, 1)
        moments = [self._now - (i + dice.random()) * step for i in range(size)]
        if self._options.order == "oldest_first":
            moments.reverse()
        elif self._options.order == "shuffled":
            dice.shuffle(moments)
        made = map(make, moments)
        return Rows((row["id"] if "id" in row else dice.uuid(), row) for row in made)
