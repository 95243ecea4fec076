"""The seed: what a fresh installation is given through the API, so that there is something to look at."""

import httpx
from rich.console import Console

from onebox import people
from onebox.api import Api, Refused
from onebox.environment import OPERATOR
from onebox.home import Home
from onebox.people import BISTROT, NORTHWIND, Partner
from onebox.tour import TourFailed


async def run(gateway: str, home: Home, console: Console) -> None:
    """Two partners, the programme of one of them, and a dozen customers of each management type. Harmless when it ran before."""
    async with httpx.AsyncClient(base_url=gateway, timeout=30) as http:
        api = Api(http)
        try:
            operator = await api.signed_in(OPERATOR, home.secrets().operator_password)
            for partner in (NORTHWIND, BISTROT):
                await _register(operator, partner)
            await _activate(await api.signed_in(NORTHWIND.email, people.PASSWORD), str(NORTHWIND.serial_number))
            await _fill(await api.signed_in(NORTHWIND.email, people.PASSWORD), console)
        except Refused as refused:
            raise TourFailed(f"the demo could not be seeded: {refused}") from refused


async def _register(operator: Api, partner: Partner) -> None:
    known = {each["company_name"] for each in await operator.everything("/v1/partners")}
    if partner.name not in known:
        await operator.post("/v1/partners", **partner.body())


async def _activate(partner: Api, serial_number: str) -> None:
    programmes = (await partner.get("/v1/programmes"))["items"]
    if any(programme["status"] == "active" for programme in programmes):
        return
    programme = await partner.post("/v1/programmes", serial_number=serial_number)
    await partner.post(f"/v1/programmes/{programme['id']}/activate", if_match=programme["version"])


async def _fill(partner: Api, console: Console) -> None:
    known = {each["company"]["name"] for each in await partner.everything("/v1/customers")}
    missing = [body for body in people.customers() if body["company"]["name"] not in known]
    with console.status(f"seeding {len(missing)} customers through the API"):
        for body in missing:
            await partner.post("/v1/customers", **body)
