"""Anybody may look at the products. Who changes one must be known."""

from fastapi import APIRouter, Depends, HTTPException

from shop import store
from shop.deps import current_user
from shop.models import User

router = APIRouter(prefix="/products")


@router.get("")
def list_products():
    return store.PRODUCTS


@router.get("/{name}")
def read_product(name: str):
    if name not in store.PRODUCTS:
        raise HTTPException(404, "no such product")
    return {"name": name, "price": store.PRODUCTS[name]}


@router.post("/{name}/restock")
def restock(name: str, count: int, user: User = Depends(current_user)):
    store.add_stock(name, count)
    return {"name": name, "stock": store.STOCK[name]}
