"""The baseline: asyncio, aiohttp and DuckDB, and nothing that makes it right. Run as a program.

No retries, no pacing, no overlap, no types, no merge, no checkpoints: what the network and DuckDB alone take.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import duckdb
import msgspec

IN_FLIGHT = 32
LISTS = {"leads": "leads", "activity": "activity", "posts": "posts", "lead_magnets": "lead-magnets"}


class Page(msgspec.Struct):
    data: list[msgspec.Raw]
    pagination: dict[str, Any]


class Row(msgspec.Struct):
    id: str


PAGE, ROW = msgspec.json.Decoder(Page), msgspec.json.Decoder(Row)


class Download:
    def __init__(self, session: aiohttp.ClientSession, url: str, folder: Path) -> None:
        self._session, self._url = session, url
        self._limit = asyncio.Semaphore(IN_FLIGHT)
        self._files = {name: (folder / f"{name}.ndjson").open("wb") for name in (*LISTS, "details")}

    async def get(self, path: str) -> bytes:
        async with self._limit, self._session.get(self._url + path) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def client(self, client: str) -> None:
        lists = [self.list(client, name, path) for name, path in LISTS.items()]
        _, _, posts, magnets = await asyncio.gather(*lists)
        root = f"/clients/{client}"
        details = [f"{root}/posts/{row.id}/engagement" for row in posts]
        details += [f"{root}/lead-magnets/{row.id}/analytics" for row in magnets]
        await asyncio.gather(*map(self.detail, details))

    async def list(self, client: str, name: str, path: str) -> list[Row]:
        rows: list[Row] = []
        offset, more = 0, True
        while more:
            page = PAGE.decode(await self.get(f"/clients/{client}/{path}?limit=100&offset={offset}"))
            prefix = b'{"client_id":"%s",' % client.encode()
            self._files[name].writelines(prefix + bytes(row)[1:] + b"\n" for row in page.data)
            if name in ("posts", "lead_magnets"):
                rows += map(ROW.decode, page.data)
            offset, more = offset + 100, page.pagination["has_more"]
        return rows

    async def detail(self, path: str) -> None:
        self._files["details"].write(await self.get(path) + b"\n")

    def close(self) -> None:
        for file in self._files.values():
            file.close()


async def main(folder: Path) -> None:
    headers = {"Authorization": f"Bearer {os.environ['LEADPANTHER_API_KEY']}"}
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        download = Download(session, os.environ["LEADPANTHER_BASE_URL"], folder)
        clients = msgspec.json.decode(await download.get("/clients?limit=100&offset=0"))["data"]
        await asyncio.gather(*(download.client(client["user_id"]) for client in clients))
        download.close()
    with duckdb.connect(str(folder / "leadhouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA leadpanther")
        for name in (*LISTS, "details"):
            connection.execute(
                f"CREATE TABLE leadpanther.{name} AS SELECT * FROM read_json('{folder}/{name}.ndjson')"
            )


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
