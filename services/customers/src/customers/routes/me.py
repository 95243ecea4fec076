"""Who is signed in, over HTTP."""

from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from chassis.http.calls import Call
from customers import me
from customers.me import MeView
from customers.routes.own import ONESELF

router: Final = APIRouter(prefix="/v1/me", tags=["sessions"])


@router.get("", response_model=MeView)
async def who_am_i(call: Annotated[Call, ONESELF]) -> Response:
    async with call.read() as read:
        found, version = await me.me(read)
        return call.answer(found, version=version)
