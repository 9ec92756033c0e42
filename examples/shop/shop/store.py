"""Storage. It is a dictionary here and a database elsewhere."""

from shop.models import Order, User

USERS = {"ada": User("ada"), "grace": User("grace", role="admin")}
PRODUCTS = {"tea": 4, "kettle": 30}
STOCK = {"tea": 120, "kettle": 8}
ORDERS: dict[int, Order] = {1: Order(1, "ada", "tea", 2), 2: Order(2, "grace", "kettle")}


def find_user(name: str) -> User | None:
    return USERS.get(name)


def find_order(order_id: int) -> Order | None:
    return ORDERS.get(order_id)


def save_order(order: Order) -> None:
    ORDERS[order.id] = order


def delete_order(order_id: int) -> None:
    ORDERS.pop(order_id, None)


def add_stock(product: str, count: int) -> None:
    STOCK[product] = STOCK.get(product, 0) + count
