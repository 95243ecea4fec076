"""What a list may be asked; anything else is refused, so that a misspelt filter never answers everything."""

from typing import Annotated, ClassVar

from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict

type SortText = Annotated[str, MaxLen(200)]


class Asked(BaseModel):
    """The parameters of a list; of one that is whole and asked for nothing, none."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)
