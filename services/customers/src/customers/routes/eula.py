"""The licence terms over HTTP."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from chassis.http.calls import Call, allow
from customers import eula

router = APIRouter(prefix="/v1", tags=["customers"])

EVERYBODY = frozenset({"partner", "operator", "customer"})


class EulaView(BaseModel):
    """The terms in force. Their ``version`` is sent back as ``eula.version`` when a customer is created."""

    version: str
    title: str
    text: str
    url: str | None


@router.get("/eula", response_model=EulaView)
async def in_force(call: Annotated[Call, allow(kinds=EVERYBODY)]) -> Response:
    async with call.read() as read:
        return call.answer(await eula.in_force(read))
