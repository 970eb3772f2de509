"""A simulated Leadping API over real HTTP on loopback: `with Sandbox(World.make()) as sandbox:`.

Truthful where the documents speak: questions, envelopes, both eras, archives, 401 for somebody else's lead, and keys of
sources that no file may hold. Where they are silent, `Paging` says; what is not to be called is answered by 403.
"""

from typing import Any, ClassVar

from sources.core.simulator.answers import BeforeList
from sources.core.simulator.behaviour import Behaviour
from sources.core.simulator.churn import Churn
from sources.core.simulator.faults import Fault
from sources.core.simulator.pacing import Window
from sources.core.simulator.sandbox import Sandbox as AnySandbox
from sources.core.simulator.sandbox import serve

from .api import Api
from .world import Paging, World, demo_world

__all__ = ["Behaviour", "Churn", "Fault", "Paging", "Sandbox", "Window", "World", "demo_world", "serve"]


class Sandbox(AnySandbox[World]):
    """A simulated Leadping API; `before_each` tells of lists by their resource, of the account ""."""

    base_path = ""
    settings: ClassVar[dict[str, Any]] = {}
    """What reading it takes beside a key and a base URL."""

    def __init__(self, world: World | None = None, **options: Any) -> None:
        super().__init__(world or World.make(), **options)

    def make_api(self, before_list: BeforeList) -> Api:
        return Api(self.world, before_list, self.behaviour)
