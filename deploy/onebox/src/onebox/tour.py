"""The tour: shows that what was started does its job, and where to look next."""

import httpx
from rich.console import Console

from onebox.environment import OPERATOR
from onebox.home import Home


class TourFailed(Exception):
    """A step of the tour did not come out as it must."""


async def run(gateway: str, home: Home, console: Console) -> None:
    async with httpx.AsyncClient(base_url=gateway, timeout=30) as client:
        answer = await client.get("/health/ready")
    if not answer.is_success:
        raise TourFailed(f"the gateway at {gateway} answers {answer.status_code}: {answer.text}")
    console.print(f"[green]Ready[/] at {gateway}")
    console.print(f"Operator: {OPERATOR}, password {home.secrets().operator_password}")
