"""The application."""

from fastapi import FastAPI

from shop import settings
from shop.routers import admin, orders, products

app = FastAPI(title="Shop")
app.include_router(products.router, prefix=settings.API_PREFIX)
app.include_router(orders.router, prefix=settings.API_PREFIX)
app.include_router(admin.router, prefix=settings.API_PREFIX)


@app.get("/health")
def health():
    return {"status": "ok"}
