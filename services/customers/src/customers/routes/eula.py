"""The licence terms over HTTP."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from chassis.http.calls import Call, allow
from customers import eula
from customers.eula import EulaView

router = APIRouter(prefix="/v1", tags=["customers"])

EVERYBODY = frozenset({"partner", "service", "operator", "customer"})


@router.get("/eula", response_model=EulaView)
async def in_force(call: Annotated[Call, allow(kinds=EVERYBODY)]) -> Response:
    async with call.read() as read:
        return call.answer(await eula.in_force(read))
