"""Four vendors' worlds, in which some people are known to several."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipelines.commands.demo_account import sandbox_of
from pipelines.syncing.sync import Wanted
from pipelines.vendors import VENDORS, Source
from sources.core.vendor_settings import load_config
from tests.people.world import Town
from tests.support import Target, sync


@dataclass
class Everybody:
    """Vendors' worlds.

    Args:
        town: those of whom people's leads are put together one by one.
        sizes: rows of the other two, by what their worlds call them.
    """

    town: Town = field(default_factory=Town)
    sizes: dict[str, dict[str, int]] = field(
        default_factory=lambda: {
            "leadron": {"leads": 0, "partners": 0, "commissions": 0},
            "leadping": {"leads": 0},
        }
    )

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        self.leadron, self.leadping = (
            sandbox_of(VENDORS[name]).World.make(now=now, **sizes) for name, sizes in self.sizes.items()
        )

    def came(self, person: str, source: str, **said: Any) -> str:
        """A lead of Leadron's or Leadping's."""
        world = getattr(self, source)
        id = str(world.insert()["id"])
        world.edit("", "leads", id, **said)
        self.town.people[source, id] = person
        return id

    @contextmanager
    def open(self) -> Iterator[dict[str, Source]]:
        """Serves the vendors, and says how to read them."""
        with self.town.open() as sources, ExitStack() as stack:
            for name in self.sizes:
                world = getattr(self, name)
                served = stack.enter_context(sandbox_of(VENDORS[name]).Sandbox(world))
                given = {"api_key": world.key, "base_url": served.base_url, **served.settings}
                sources[name] = Source(VENDORS[name], load_config(VENDORS[name], **given))
            yield sources

    def sync(self, target: Target, *resources: str) -> None:
        """Syncs all vendors into one warehouse."""
        with self.open() as sources:
            for source in sources.values():
                sync(source, target.storage(dataset=""), Wanted(resources))


def some_of_everything() -> Everybody:
    """A few rows of every kind; four people are known to several vendors, and one of them to all."""
    everybody = Everybody(
        sizes={
            "leadron": {"leads": 14, "partners": 3, "commissions": 9, "notes": 0},
            "leadping": {"leads": 10},
        }
    )
    town, came = everybody.town, everybody.came
    town.met_in_posts("Ana", submitted="ana@one.example")
    town.bought("Ana", "Ana+x@one.example", "(415) 555-0100")
    came("Ana", "leadron", email="ana@one.example", phone="+1 415 555 0101")
    came("Ana", "leadping", email="ana@one.example", phone="+14155550102")
    for n, person in enumerate(("Bo", "Cy")):
        town.met_in_posts(person, n, work=f"{person}@two.example")
        came(person, "leadping", email=f"{person}@two.example", phone=f"+1415555011{n}")
    came("Di", "leadron", email="di@three.example", phone="+1 415 555 0120")
    came("Di", "leadping", email="di@three.example", phone="+14155550121")
    for n in range(5):
        town.met_in_posts(f"Ed {n}", n % 2, submitted=f"ed.{n}@four.example")
        town.bought(f"Fay {n}", f"fay.{n}@five.example", f"(415) 555-013{n}", masked=n > 2)
    return everybody
