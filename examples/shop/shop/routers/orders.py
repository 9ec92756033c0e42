"""Customers and their orders."""

from typing import Annotated

from fastapi import APIRouter, Depends

from shop import store
from shop.deps import CurrentUser, current_user, own_order
from shop.models import NewOrder, Order, User

router = APIRouter(prefix="/orders")


@router.get("")
def list_orders(user: CurrentUser):
    return [order for order in store.ORDERS.values() if order.owner == user.name]


@router.post("", status_code=201)
def create_order(new: NewOrder, user: User = Depends(current_user)):
    order = Order(max(store.ORDERS, default=0) + 1, user.name, new.product, new.quantity)
    store.save_order(order)
    return order


@router.get("/{order_id}")
def read_order(order: Annotated[Order, Depends(own_order)]):
    return order


@router.delete("/{order_id}", dependencies=[Depends(current_user)])
def cancel_order(order: Annotated[Order, Depends(own_order)]):
    store.delete_order(order.id)
    return {"cancelled": order.id}
