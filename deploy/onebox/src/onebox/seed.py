"""The seed: what a fresh installation is given through the API, so that there is something to look at."""

import httpx
from rich.console import Console

from onebox.home import Home
from onebox.tour import TourFailed


async def run(gateway: str, home: Home, console: Console) -> None:
    """Harmless when it ran before."""
    async with httpx.AsyncClient(base_url=gateway, timeout=30) as client:
        if not (await client.get("/health/ready")).is_success:
            raise TourFailed(f"the gateway at {gateway} is not ready")
    console.print(f"[dim]State is kept in {home.folder}[/]")
