"""Who may call what."""

from typing import Annotated

from fastapi import Depends, Header, HTTPException

from shop import settings, store
from shop.models import Order, User


def current_user(authorization: Annotated[str, Header()] = "") -> User:
    name = settings.TOKENS.get(authorization.removeprefix("Bearer "))
    user = store.find_user(name) if name else None
    if user is None:
        raise HTTPException(401, "who are you?")
    return user


CurrentUser = Annotated[User, Depends(current_user)]


def require_admin(user: CurrentUser) -> User:
    if user.role != "admin":
        raise HTTPException(403, "for administrators")
    return user


def own_order(order_id: int, user: CurrentUser) -> Order:
    order = store.find_order(order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    if order.owner != user.name:
        raise HTTPException(403, "not your order")
    return order
