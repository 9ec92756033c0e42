"""What the service stores and what callers send."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


@dataclass
class User:
    name: str
    role: str = "customer"


@dataclass
class Order:
    id: int
    owner: str
    product: str
    quantity: int = 1


class NewOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product: str
    quantity: int = 1
