"""For administrators: every route of this router is behind `require_admin`."""

from fastapi import APIRouter, Depends

from shop import store
from shop.deps import require_admin

router = APIRouter(prefix="/admin", dependencies=[Depends(require_admin)])


@router.get("/orders")
def all_orders():
    return list(store.ORDERS.values())


@router.delete("/orders/{order_id}")
def remove_order(order_id: int):
    store.delete_order(order_id)
    return {"removed": order_id}
